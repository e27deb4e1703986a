// Command record fills in what Helm answers: record <kind> <vectors.json>, in place.
//
// It needs Go and Helm's module (helm.sh/helm/v4 v4.3.1); tests don't need it.
package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"log/slog"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"time"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/loader"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	v2loader "helm.sh/helm/v4/pkg/chart/v2/loader"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"
	"helm.sh/helm/v4/pkg/cli"
	"helm.sh/helm/v4/pkg/cli/values"
	"helm.sh/helm/v4/pkg/getter"
	"helm.sh/helm/v4/pkg/ignore"
	repo "helm.sh/helm/v4/pkg/repo/v1"
	"helm.sh/helm/v4/pkg/strvals"
	"sigs.k8s.io/yaml"
)

type m = map[string]any

var warnings []string

type handler struct{}

func (handler) Enabled(_ context.Context, l slog.Level) bool { return l == slog.LevelWarn }
func (handler) Handle(_ context.Context, r slog.Record) error {
	s := r.Message
	r.Attrs(func(a slog.Attr) bool { s += fmt.Sprintf(" %s=%v", a.Key, a.Value); return true })
	warnings = append(warnings, s)
	return nil
}
func (h handler) WithAttrs([]slog.Attr) slog.Handler { return h }
func (h handler) WithGroup(string) slog.Handler      { return h }

type lines struct{}

func (lines) Write(p []byte) (int, error) {
	warnings = append(warnings, strings.TrimSuffix(string(p), "\n"))
	return len(p), nil
}

func main() {
	log.SetFlags(0)
	slog.SetDefault(slog.New(handler{}))
	log.SetOutput(lines{})
	log.SetFlags(0)
	data, err := os.ReadFile(os.Args[2])
	check(err)
	var cases []m
	check(json.Unmarshal(data, &cases))
	run := map[string]func(m) m{
		"values": recordValues, "strvals": recordStrvals, "input": recordInput, "coalesce": recordCoalesce,
		"load": recordLoad, "dependencies": recordDependencies, "ignore": recordIgnore,
		"archive": recordArchive, "schema": recordSchema, "index": recordIndex, "save": recordSave,
	}[os.Args[1]]
	for _, c := range cases {
		warnings = nil
		c["want"] = run(c)
		if len(warnings) > 0 {
			sort.Strings(warnings)
			c["want"].(m)["warnings"] = warnings
		}
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	check(e.Encode(cases))
	check(os.WriteFile(os.Args[2], out.Bytes(), 0o644))
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func text(c m, key string) string { s, _ := c[key].(string); return s }

func texts(c m, key string) (out []string) {
	list, _ := c[key].([]any)
	for _, s := range list {
		out = append(out, s.(string))
	}
	return out
}

// plain is JSON without escapes for HTML.
func plain(v any) string {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	check(e.Encode(v))
	return strings.TrimSuffix(out.String(), "\n")
}

// dump tells integers (1) from floats (1.0).
func dump(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return plain(v)
	case float64:
		s := strconv.FormatFloat(v, 'g', -1, 64)
		if !strings.ContainsAny(s, ".e") {
			s += ".0"
		}
		return s
	case []any:
		var items []string
		for _, i := range v {
			items = append(items, dump(i))
		}
		return "[" + strings.Join(items, ",") + "]"
	case map[string]any:
		var keys []string
		for k := range v {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		var items []string
		for _, k := range keys {
			items = append(items, dump(k)+":"+dump(v[k]))
		}
		return "{" + strings.Join(items, ",") + "}"
	case common.Values:
		return dump(map[string]any(v))
	default:
		return fmt.Sprint(v)
	}
}

func result(v map[string]any, err error) m {
	out := m{}
	if v != nil || err == nil {
		out["values"] = dump(v)
	}
	if err != nil {
		out["error"] = err.Error()
		delete(out, "values")
	}
	return out
}

func parse(s string) map[string]any {
	out := map[string]any{}
	check(yaml.Unmarshal([]byte(s), &out))
	return out
}

func recordValues(c m) m {
	if text(c, "mode") == "read" {
		v, err := common.ReadValues([]byte(text(c, "text")))
		return result(v, err)
	}
	return result(v2loader.LoadValues(strings.NewReader(text(c, "text"))))
}

func recordStrvals(c m) m {
	base := parse(text(c, "base"))
	line := text(c, "line")
	var err error
	switch text(c, "mode") {
	case "set":
		err = strvals.ParseInto(line, base)
	case "string":
		err = strvals.ParseIntoString(line, base)
	case "json":
		err = strvals.ParseJSON(line, base)
	case "literal":
		err = strvals.ParseLiteralInto(line, base)
	case "file":
		err = strvals.ParseIntoFile(line, base, func(rs []rune) (any, error) {
			if string(rs) == "missing" {
				return nil, fmt.Errorf("no such file")
			}
			return "<" + string(rs) + ">", nil
		})
	}
	out := m{"values": dump(base)}
	if err != nil {
		out["error"] = err.Error()
	}
	return out
}

func recordInput(c m) m {
	dir, err := os.MkdirTemp("", "record")
	check(err)
	defer os.RemoveAll(dir)
	check(os.Chdir(dir))
	o := values.Options{
		Values: texts(c, "set"), StringValues: texts(c, "set-string"), JSONValues: texts(c, "set-json"),
		FileValues: texts(c, "set-file"), LiteralValues: texts(c, "set-literal"),
	}
	for i, f := range texts(c, "files") {
		name := fmt.Sprintf("f%d.yaml", i)
		check(os.WriteFile(name, []byte(f), 0o644))
		o.ValueFiles = append(o.ValueFiles, name)
	}
	check(os.WriteFile("data.txt", []byte("content,\n"), 0o644))
	return result(o.MergeValues(getter.All(cli.New())))
}

func build(c m) *chart.Chart {
	out := &chart.Chart{Metadata: &chart.Metadata{Name: text(c, "name"), Version: "1.0.0", APIVersion: "v2"}}
	if v, ok := c["values"].(string); ok {
		out.Values = parse(v)
	}
	if s, ok := c["schema"].(string); ok {
		out.Schema = []byte(s)
	}
	subs, _ := c["dependencies"].([]any)
	for _, s := range subs {
		out.AddDependency(build(s.(m)))
	}
	return out
}

func recordCoalesce(c m) m {
	ch := build(c["chart"].(m))
	user := parse(text(c, "values"))
	if text(c, "mode") == "merge" {
		return result(util.MergeValues(ch, user))
	}
	return result(util.CoalesceValues(ch, user))
}

func load(c m) (*chart.Chart, error) {
	var names []string
	given := c["files"].(m)
	for name := range given {
		names = append(names, name)
	}
	sort.Strings(names)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	w := tar.NewWriter(z)
	for _, name := range names {
		data := []byte(given[name].(string))
		check(w.WriteHeader(&tar.Header{Name: "c/" + name, Size: int64(len(data)), Mode: 0o644}))
		_, err := w.Write(data)
		check(err)
	}
	check(w.Close())
	check(z.Close())
	ch, err := loader.LoadArchive(&packed)
	if err != nil {
		return nil, err
	}
	return ch.(*chart.Chart), nil
}

func sorted(ch *chart.Chart) []*chart.Chart {
	deps := append([]*chart.Chart{}, ch.Dependencies()...)
	sort.SliceStable(deps, func(i, j int) bool { return deps[i].Name() < deps[j].Name() })
	return deps
}

func show(ch *chart.Chart) m {
	out := m{"values": "nil"}
	out["metadata"] = plain(ch.Metadata)
	out["hasDependencies"] = ch.Metadata.Dependencies != nil
	if ch.Lock != nil {
		out["lock"] = plain(ch.Lock)
	}
	if ch.Values != nil {
		out["values"] = dump(ch.Values)
	}
	names := func(files []*common.File) []string {
		list := []string{}
		for _, f := range files {
			list = append(list, f.Name)
		}
		return list
	}
	out["templates"], out["files"] = names(ch.Templates), names(ch.Files)
	crds := []string{}
	for _, crd := range ch.CRDObjects() {
		crds = append(crds, crd.Filename)
	}
	sort.Strings(crds)
	out["crds"] = crds
	out["schema"] = string(ch.Schema)
	subs := []m{}
	for _, d := range sorted(ch) {
		subs = append(subs, show(d))
	}
	out["dependencies"] = subs
	return out
}

func recordLoad(c m) m {
	ch, err := load(c)
	if err != nil {
		return m{"error": err.Error()}
	}
	return show(ch)
}

func recordDependencies(c m) m {
	ch, err := load(c)
	check(err)
	var sortAll func(*chart.Chart)
	sortAll = func(ch *chart.Chart) {
		ch.SetDependencies(sorted(ch)...)
		for _, d := range ch.Dependencies() {
			sortAll(d)
		}
	}
	sortAll(ch)
	warnings = nil
	user := parse(text(c, "values"))
	if err := chartutil.ProcessDependencies(ch, user); err != nil {
		return m{"error": err.Error()}
	}
	out := show(ch)
	final, err := util.CoalesceValues(ch, user)
	if err != nil {
		return m{"error": err.Error()}
	}
	out["coalesced"] = dump(final)
	return out
}

type info struct {
	name string
	dir  bool
}

func (i info) Name() string       { return filepath.Base(i.name) }
func (i info) Size() int64        { return 0 }
func (i info) Mode() os.FileMode  { return 0 }
func (i info) ModTime() time.Time { return time.Time{} }
func (i info) IsDir() bool        { return i.dir }
func (i info) Sys() any           { return nil }

func recordIgnore(c m) m {
	rules, err := ignore.Parse(strings.NewReader(text(c, "rules")))
	if err != nil {
		return m{"error": err.Error()}
	}
	rules.AddDefaults()
	ignored := []string{}
	for _, p := range texts(c, "paths") {
		name, dir := strings.CutSuffix(p, "/")
		if rules.Ignore(name, info{name, dir}) {
			ignored = append(ignored, p)
		}
	}
	return m{"ignored": ignored}
}

func recordArchive(c m) m {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	w := tar.NewWriter(z)
	entries, _ := c["entries"].([]any)
	for _, raw := range entries {
		e := raw.(m)
		data := []byte(text(e, "data"))
		if n, ok := e["zeros"].(float64); ok {
			data = make([]byte, int(n))
		}
		kind := byte(tar.TypeReg)
		if t := text(e, "type"); t != "" {
			kind = t[0]
		}
		h := &tar.Header{Name: text(e, "name"), Size: int64(len(data)), Typeflag: kind, Mode: 0o644, Linkname: text(e, "link"), Format: tar.FormatGNU}
		check(w.WriteHeader(h))
		_, err := w.Write(data)
		check(err)
	}
	check(w.Close())
	check(z.Close())
	bytesOf := packed.Bytes()
	if raw, ok := c["raw"].(string); ok {
		bytesOf = []byte(raw)
	}
	if n, ok := c["cut"].(float64); ok {
		bytesOf = bytesOf[:int(n)]
	}
	ch, err := loader.LoadArchive(bytes.NewReader(bytesOf))
	if err != nil {
		return m{"error": err.Error()}
	}
	return show(ch.(*chart.Chart))
}

func recordSchema(c m) m {
	ch := build(c["chart"].(m))
	user := parse(text(c, "values"))
	final, err := util.CoalesceValues(ch, user)
	check(err)
	if err := util.ValidateAgainstSchema(ch, final); err != nil {
		return m{"error": err.Error()}
	}
	return m{}
}

func recordIndex(c m) m {
	dir, err := os.MkdirTemp("", "record")
	check(err)
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "index.yaml")
	check(os.WriteFile(path, []byte(text(c, "text")), 0o644))
	index, err := repo.LoadIndexFile(path)
	for i := range warnings {
		warnings[i] = strings.ReplaceAll(warnings[i], path, "INDEX")
	}
	if err != nil {
		return m{"error": strings.ReplaceAll(err.Error(), path, "INDEX")}
	}
	entries := m{}
	for name, versions := range index.Entries {
		list := []string{}
		for _, v := range versions {
			list = append(list, plain(v))
		}
		entries[name] = list
	}
	found := m{}
	for _, q := range texts(c, "get") {
		name, version, _ := strings.Cut(q, "@")
		v, err := index.Get(name, version)
		if err != nil {
			found[q] = "error: " + err.Error()
		} else {
			found[q] = v.Version
		}
	}
	return m{"entries": entries, "found": found}
}

func recordSave(c m) m {
	ch, err := load(c)
	check(err)
	dir, err := os.MkdirTemp("", "record")
	check(err)
	defer os.RemoveAll(dir)
	ch.SetDependencies(sorted(ch)...)
	path, err := chartutil.Save(ch, dir)
	if err != nil {
		return m{"error": err.Error()}
	}
	packed, err := os.ReadFile(path)
	check(err)
	z, err := gzip.NewReader(bytes.NewReader(packed))
	check(err)
	r := tar.NewReader(z)
	entries := []m{}
	for {
		h, err := r.Next()
		if err != nil {
			break
		}
		var body bytes.Buffer
		_, err = body.ReadFrom(r)
		check(err)
		entries = append(entries, m{"name": h.Name, "mode": h.Mode, "data": body.String()})
	}
	return m{"name": filepath.Base(path), "entries": entries, "comment": z.Comment, "extra": string(z.Extra)}
}
