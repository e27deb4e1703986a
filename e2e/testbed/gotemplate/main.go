// Command gotemplate executes templates with Go's text/template and Sprig, as an oracle for tests.
//
// Each line on standard input is one case in JSON; each line on standard output is its answer. A
// case that doesn't end in time is answered with a timeout and ends the program, since nothing can
// stop it.
package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"runtime/debug"
	"text/template"
	"time"
	"unicode/utf8"

	"github.com/Masterminds/sprig/v3"
)

const (
	caseTimeout = 5 * time.Second
	// Large enough for any honest template, small enough that endless recursion ends soon.
	maxStack = 256 << 20
	maxLine  = 64 << 20
)

// A testCase is templates, parsed in their order, of which one is executed.
type testCase struct {
	Templates []source `json:"templates"`
	Run       string   `json:"run"`
	// What the templates see, with every number a float64 as in Helm.
	Data map[string]any `json:"data"`
	// The missingkey option: default, zero or error.
	MissingKey string `json:"missingkey"`
}

type source struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// An answer has one of its fields. A text that isn't UTF-8 is in the field for base64.
type answer struct {
	Output       *string `json:"output,omitempty"`
	OutputBase64 *string `json:"output64,omitempty"`
	Error        *string `json:"error,omitempty"`
	ErrorBase64  *string `json:"error64,omitempty"`
	// A panic that text/template didn't turn into an error.
	Panic *string `json:"panic,omitempty"`
	// Two executions gave different texts: it depends on the order of a map.
	Unstable bool `json:"unstable,omitempty"`
	Timeout  bool `json:"timeout,omitempty"`
}

func main() {
	debug.SetMaxStack(maxStack)
	time.Local = time.UTC
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, maxLine)
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	for lines.Scan() {
		given := answerInTime(bytes.Clone(lines.Bytes()))
		if err := out.Encode(given); err != nil {
			fail(err)
		}
		if given.Timeout {
			os.Exit(3)
		}
	}
	if err := lines.Err(); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "gotemplate:", err)
	os.Exit(1)
}

func answerInTime(line []byte) answer {
	done := make(chan answer, 1)
	go func() {
		first, second := answerOnce(line), answerOnce(line)
		if !first.equals(second) {
			first = answer{Unstable: true}
		}
		done <- first
	}()
	select {
	case given := <-done:
		return given
	case <-time.After(caseTimeout):
		return answer{Timeout: true}
	}
}

// answerOnce decodes the case each time, because templates can change their data.
func answerOnce(line []byte) (given answer) {
	defer func() {
		if reason := recover(); reason != nil {
			text := fmt.Sprint(reason)
			given = answer{Panic: &text}
		}
	}()
	var c testCase
	if err := json.Unmarshal(line, &c); err != nil {
		fail(err)
	}
	output, err := execute(&c)
	if err != nil {
		given.Error, given.ErrorBase64 = text([]byte(err.Error()))
		return given
	}
	given.Output, given.OutputBase64 = text(output)
	return given
}

func execute(c *testCase) ([]byte, error) {
	all := template.New("all").Option("missingkey=" + c.MissingKey).Funcs(sprig.TxtFuncMap())
	for _, source := range c.Templates {
		if _, err := all.New(source.Name).Parse(source.Text); err != nil {
			return nil, err
		}
	}
	var output bytes.Buffer
	err := all.ExecuteTemplate(&output, c.Run, c.Data)
	return output.Bytes(), err
}

func text(bytes []byte) (plain, encoded *string) {
	if utf8.Valid(bytes) {
		text := string(bytes)
		return &text, nil
	}
	text := base64.StdEncoding.EncodeToString(bytes)
	return nil, &text
}

func (a answer) equals(b answer) bool {
	first, _ := json.Marshal(a)
	second, _ := json.Marshal(b)
	return bytes.Equal(first, second)
}
