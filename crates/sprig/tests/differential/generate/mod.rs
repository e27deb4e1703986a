//! Random templates with data.

mod broken;
mod calls;
mod compose;
mod data;
mod literals;
mod printf;
mod signatures;
mod statements;

use crate::case::Case;
use crate::dice::Dice;
use calls::Awkward;
use statements::Writer;

/// The case that belongs to a seed.
pub(crate) fn case(seed: u64) -> Case {
    let mut dice = Dice::new(seed);
    let data = data::tree(&mut dice);
    let templates = match dice.below(40) {
        0 => vec![("main.tpl".to_owned(), broken::soup(&mut dice))],
        1 | 2 => vec![("main.tpl".to_owned(), Writer::new(&mut dice, Awkward::Often).probe())],
        _ => templates(&mut dice),
    };
    let missing_key =
        dice.pick(&["zero", "zero", "zero", "zero", "zero", "default", "default", "error"]).to_owned();
    Case { templates, run: "main.tpl".to_owned(), data, missing_key }
}

fn templates(dice: &mut Dice) -> Vec<(String, String)> {
    let is_broken = dice.one_in(16);
    let awkward = if dice.one_in(4) { Awkward::Sometimes } else { Awkward::Never };
    let (text, partials) = Writer::new(dice, awkward).template();
    let mut templates = vec![("main.tpl".to_owned(), text)];
    if let Some(partials) = partials {
        let place = dice.below(2);
        templates.insert(place, ("_partials.tpl".to_owned(), partials));
    }
    if is_broken {
        let index = dice.below(templates.len());
        templates[index].1 = broken::damage(dice, &templates[index].1);
    }
    templates
}
