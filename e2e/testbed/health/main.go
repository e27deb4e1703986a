// Command health evaluates CEL expressions and judges Kubernetes objects as Flux does, as an oracle
// for tests.
//
//	health cel      evaluates expressions with github.com/fluxcd/pkg/runtime/cel
//	health kstatus  judges objects with kstatus and Flux's reader of Jobs
//
// Each line on standard input is one case in JSON; each line on standard output is its answer.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"github.com/fluxcd/pkg/runtime/cel"
	"github.com/fluxcd/pkg/runtime/statusreaders"
	gocel "github.com/google/cel-go/cel"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kjson "sigs.k8s.io/json"
)

const (
	caseTimeout = 5 * time.Second
	maxLine     = 64 << 20
)

func main() {
	modes := map[string]func([]byte) any{"cel": evaluate, "kstatus": judge}
	if len(os.Args) != 2 || modes[os.Args[1]] == nil {
		fail(fmt.Errorf("usage: health cel|kstatus"))
	}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, maxLine)
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	for lines.Scan() {
		if err := out.Encode(modes[os.Args[1]](lines.Bytes())); err != nil {
			fail(err)
		}
	}
	if err := lines.Err(); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "health:", err)
	os.Exit(1)
}

// decode reads JSON as the API machinery does: whole numbers are int64.
func decode(line []byte, into any) {
	if err := kjson.UnmarshalCaseSensitivePreserveInts(line, into); err != nil {
		fail(err)
	}
}

type expression struct {
	Expression string `json:"expression"`
	// What the expression can see.
	Data map[string]any `json:"data"`
	// Whether the expression is type-checked, with Data's fields as its variables.
	Compile bool `json:"compile"`
}

// A celAnswer has either of Parse and Eval, which are errors, or Value.
type celAnswer struct {
	Parse *string `json:"parse,omitempty"`
	Eval  *string `json:"eval,omitempty"`
	Value *bool   `json:"value,omitempty"`
}

func evaluate(line []byte) (given any) {
	defer func() {
		if reason := recover(); reason != nil {
			text := fmt.Sprint("panic: ", reason)
			given = celAnswer{Eval: &text}
		}
	}()
	var c expression
	decode(line, &c)
	var options []cel.Option
	if c.Compile {
		names := make([]string, 0, len(c.Data))
		for name := range c.Data {
			names = append(names, name)
		}
		options = []cel.Option{cel.WithCompile(), cel.WithOutputType(gocel.BoolType), cel.WithStructVariables(names...)}
	}
	parsed, err := cel.NewExpression(c.Expression, options...)
	if err != nil {
		text := err.Error()
		return celAnswer{Parse: &text}
	}
	ctx, cancel := context.WithTimeout(context.Background(), caseTimeout)
	defer cancel()
	value, err := parsed.EvaluateBoolean(ctx, c.Data)
	if err != nil {
		text := err.Error()
		return celAnswer{Eval: &text}
	}
	return celAnswer{Value: &value}
}

type statusAnswer struct {
	Status  string `json:"status"`
	Message string `json:"message,omitempty"`
}

func judge(line []byte) (given any) {
	defer func() {
		if reason := recover(); reason != nil {
			given = statusAnswer{Status: "Panic", Message: fmt.Sprint(reason)}
		}
	}()
	var object unstructured.Unstructured
	decode(line, &object.Object)
	gk := object.GroupVersionKind().GroupKind()
	if gk.Group == "batch" && gk.Kind == "Job" {
		result := statusreaders.ComputeJobStatus(&object)
		return statusAnswer{result.Status.String(), result.Message}
	}
	result, err := status.Compute(&object)
	if err != nil {
		return statusAnswer{status.UnknownStatus.String(), err.Error()}
	}
	return statusAnswer{result.Status.String(), result.Message}
}
