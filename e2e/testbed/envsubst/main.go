// Command envsubst substitutes variables with Flux's envsubst, as an oracle for tests.
//
// Each line on standard input is one case in JSON; each line on standard output is its answer.
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"unicode/utf8"

	"github.com/fluxcd/pkg/envsubst"
)

const maxLine = 64 << 20

// A testCase is a text and the variables that are set.
type testCase struct {
	Text      string            `json:"text"`
	Variables map[string]string `json:"variables"`
	// Whether variables that aren't set are an error.
	Strict bool `json:"strict"`
}

// An answer has one of its fields. A text that isn't UTF-8 is in the field for base64.
type answer struct {
	Output       *string `json:"output,omitempty"`
	OutputBase64 *string `json:"output64,omitempty"`
	Error        *string `json:"error,omitempty"`
	// A panic that envsubst didn't turn into an error.
	Panic *string `json:"panic,omitempty"`
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, maxLine)
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	for lines.Scan() {
		var c testCase
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			fail(err)
		}
		if err := out.Encode(substitute(&c)); err != nil {
			fail(err)
		}
	}
	if err := lines.Err(); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "envsubst:", err)
	os.Exit(1)
}

func substitute(c *testCase) (given answer) {
	defer func() {
		if reason := recover(); reason != nil {
			text := fmt.Sprint(reason)
			given = answer{Panic: &text}
		}
	}()
	output, err := envsubst.Eval(c.Text, func(name string) (string, bool) {
		value, isSet := c.Variables[name]
		return value, isSet || !c.Strict
	})
	if err != nil {
		text := err.Error()
		return answer{Error: &text}
	}
	if utf8.ValidString(output) {
		return answer{Output: &output}
	}
	text := base64.StdEncoding.EncodeToString([]byte(output))
	return answer{OutputBase64: &text}
}
