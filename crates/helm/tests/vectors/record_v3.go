// Command record_v3 adds what Helm 3 answers to the cases of coalesce.json: record_v3 <coalesce.json>, in place.
//
// It needs Go and Helm's module (helm.sh/helm/v3 v3.22.0); tests don't need it.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"sort"
	"strings"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chartutil"
	"sigs.k8s.io/yaml"
)

type m = map[string]any

var warnings []string

type lines struct{}

func (lines) Write(p []byte) (int, error) {
	warnings = append(warnings, strings.TrimSuffix(string(p), "\n"))
	return len(p), nil
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func parse(s string) m {
	out := m{}
	check(yaml.Unmarshal([]byte(s), &out))
	return out
}

func build(c m) *chart.Chart {
	out := &chart.Chart{Metadata: &chart.Metadata{Name: c["name"].(string), Version: "1.0.0", APIVersion: "v2"}}
	if v, ok := c["values"].(string); ok {
		out.Values = parse(v)
	}
	subs, _ := c["dependencies"].([]any)
	for _, s := range subs {
		out.AddDependency(build(s.(m)))
	}
	return out
}

func main() {
	log.SetOutput(lines{})
	log.SetFlags(0)
	data, err := os.ReadFile(os.Args[1])
	check(err)
	var cases []m
	check(json.Unmarshal(data, &cases))
	for _, c := range cases {
		warnings = nil
		coalesce := chartutil.CoalesceValues
		if c["mode"] == "merge" {
			coalesce = chartutil.MergeValues
		}
		values, _ := c["values"].(string)
		got, err := coalesce(build(c["chart"].(m)), parse(values))
		want := m{"plain": got}
		if err != nil {
			want = m{"error": err.Error()}
		}
		if len(warnings) > 0 {
			sort.Strings(warnings)
			want["warnings"] = warnings
		}
		c["want3"] = want
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	check(e.Encode(cases))
	check(os.WriteFile(os.Args[1], out.Bytes(), 0o644))
}
