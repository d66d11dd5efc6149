package object

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/problem"
	"partnerguard/internal/remedy"
)

// Request is one request to Microsoft Graph. Path begins with the version, /v1.0 or /beta.
// The zero value says that there is nothing to do.
type Request struct {
	Method string          `json:"method"`
	Path   string          `json:"path"`
	Body   json.RawMessage `json:"body,omitempty"`
}

// None says that there is nothing to do.
func (r Request) None() bool { return r.Method == "" }

// In is the request for another cloud: references to objects are addresses of its Graph.
func (r Request) In(cloud string) Request {
	if c, known := entra.FindCloud(cloud); known && len(r.Body) > 0 {
		r.Body = bytes.ReplaceAll(r.Body, []byte(reference), []byte("https://"+strings.TrimPrefix(c.Graph, "https://")+"/v1.0/directoryObjects/"))
	}
	return r
}

const reference = "https://" + entra.GraphHost + "/v1.0/directoryObjects/"

// ToRequest is the least request that does a step. ids are what the plan has made so far,
// by key. It refuses to write what is not known to us, and a key that nothing was made for
// yet. It is None where the step changes nothing, and for what a person does.
func ToRequest(step *remedy.Step, ids map[string]string) (Request, error) {
	k := kinds[step.Kind]
	if k == nil || k.do[step.Do] == "" {
		return Request{}, problem.New(problem.BadInput, "%.20q is nothing that can be done to a %s", string(step.Do), KindWords(step.Kind))
	}
	if k.shape == nil {
		return Request{}, nil
	}
	id, err := ID(step.ID, ids)
	if err != nil {
		return Request{}, err
	}
	if step.Do != remedy.Create && !k.one && !step.Kind.IsID(id) {
		return Request{}, problem.New(problem.BadInput, "%.80q is no id of a %s", id, k.words)
	}
	was, oddWas, err := tree(step.Kind, step.Before)
	if err != nil {
		return Request{}, err
	}
	after, err := Resolve(step.Kind, step.After, ids)
	if err != nil {
		return Request{}, err
	}
	want, odd, err := tree(step.Kind, after)
	if err != nil {
		return Request{}, err
	}
	w := &writing{kind: k, step: step, id: id, was: was, want: want, odd: append(oddWas, odd...)}
	switch step.Do {
	case remedy.Create:
		return w.create()
	case remedy.Delete:
		return w.remove()
	}
	return w.update()
}

// writing is what a request is made of.
type writing struct {
	kind      *kind
	step      *remedy.Step
	id        string
	was, want map[string]any
	odd       []string
	beta      bool
}

func (w *writing) refuse(format string, args ...any) *problem.Error {
	return problem.New(problem.BadInput, format, args...)
}

// checked refuses a body that must not be written.
func (w *writing) checked(names []string, body any) error {
	for _, p := range w.odd {
		top, _, _ := strings.Cut(strings.TrimPrefix(p, "/"), "/")
		if slices.Contains(names, top) {
			return w.refuse("%s of the %s is not known to this version, and is never written", p, w.kind.words).
				WithHint("change it in Microsoft's admin centre, or with a newer version")
		}
	}
	if bytes.Contains(write(body), []byte(`"`+future+`"`)) {
		return w.refuse("the %s holds %s, which stands for a value that was not read", w.kind.words, future)
	}
	if bad := newlyUnfit(w.step.Kind, w.was, w.want); len(bad) > 0 {
		return w.refuse("the %s: %s", w.kind.words, bad[0])
	}
	return nil
}

func (w *writing) request(method, path string, body any) Request {
	r := Request{Method: method, Path: w.kind.version() + path}
	if w.beta {
		r.Path = "/beta" + path
	}
	if body != nil {
		r.Body = write(body)
	}
	return r
}

func (w *writing) create() (Request, error) {
	if w.want == nil {
		return Request{}, w.refuse("a %s is made of nothing", w.kind.words)
	}
	body := w.whole(w.kind.shape, nil, w.want)
	if err := w.checked(slices.Collect(maps.Keys(w.want)), body); err != nil {
		return Request{}, err
	}
	switch w.step.Kind {
	case remedy.Group: // Graph wants it to be said of what is made
		if all, is := body.(map[string]any); is && all["mailEnabled"] == nil {
			all["mailEnabled"] = false
		}
	case remedy.Member:
		group, _ := w.want["group"].(string)
		member, _ := w.want["member"].(string)
		return w.request(http.MethodPost, "/groups/"+group+"/members/$ref", map[string]any{"@odata.id": reference + member}), nil
	case remedy.AppRole:
		principal, _ := w.want["principalId"].(string)
		return w.request(http.MethodPost, "/servicePrincipals/"+principal+"/appRoleAssignments", body), nil
	}
	return w.request(http.MethodPost, w.kind.base, body), nil
}

func (w *writing) remove() (Request, error) {
	switch w.step.Kind {
	case remedy.Location:
		if w.was["isTrusted"] == true {
			return Request{}, w.refuse("a trusted named location cannot be deleted").WithHint("a step before it sets isTrusted to false")
		}
	case remedy.Credential:
		if w.was["type"] != "password" { // removeKey wants a proof by another key of the app, which we have not
			return Request{}, w.refuse("only an app's passwords can be removed").
				WithHint("a certificate is removed by a person: its other keys would have to be written again")
		}
		key := w.id[strings.LastIndexByte(w.id, '/')+1:]
		return w.request(http.MethodPost, w.kind.at(w.id)+"/removePassword", map[string]any{"keyId": key}), nil
	}
	return w.request(http.MethodDelete, w.kind.at(w.id), nil), nil
}

func (w *writing) update() (Request, error) {
	if w.was == nil || w.want == nil {
		return Request{}, w.refuse("a change of a %s needs it as it was and as it is wanted", w.kind.words)
	}
	var changed []string
	for _, name := range union(w.was, w.want) {
		if !same(w.was[name], w.want[name]) {
			changed = append(changed, name)
		}
	}
	if len(changed) == 0 {
		return Request{}, nil
	}
	for _, name := range changed {
		if slices.Contains(w.kind.fixed, name) {
			return Request{}, w.refuse("%s of a %s cannot be changed once it is there", name, w.kind.words)
		}
	}
	if w.kind.whole {
		changed = slices.Sorted(maps.Keys(w.kind.shape.members))
	}
	// Graph replaces what is below a member that is sent, so it is sent whole; what shall
	// go is said to be nothing, for where it would be merged.
	body, _ := w.whole(w.kind.shape, pick(w.was, changed), pick(w.want, changed)).(map[string]any)
	if t := w.want["@odata.type"]; t != nil {
		body["@odata.type"] = t
	}
	if err := w.checked(changed, body); err != nil {
		return Request{}, err
	}
	path := w.kind.at(w.id)
	if w.step.Kind == remedy.Strength && slices.Contains(changed, "allowedCombinations") {
		if len(changed) > 1 {
			return Request{}, w.refuse("the combinations of a strength and its name are changed by two requests").WithHint("make two steps of it")
		}
		return w.request(http.MethodPost, path+"/updateAllowedCombinations", body), nil
	}
	method := http.MethodPatch
	if w.kind.whole {
		method = http.MethodPut
	}
	return w.request(method, path, body), nil
}

func union(a, b map[string]any) []string {
	all := maps.Clone(a)
	if all == nil {
		all = map[string]any{}
	}
	maps.Copy(all, b)
	return slices.Sorted(maps.Keys(all))
}

func pick(m map[string]any, names []string) map[string]any {
	out := map[string]any{}
	for _, n := range names {
		if m[n] != nil {
			out[n] = m[n]
		}
	}
	return out
}

// whole is a value as it is written: what was there and is not wanted is said to be
// nothing, objects have the types that Graph asks for.
func (w *writing) whole(s *shape, was, want any) any {
	if s.beta {
		w.beta = true
	}
	switch s.form {
	case node:
		wanted, is := want.(map[string]any)
		if !is {
			return want
		}
		had, _ := was.(map[string]any)
		out := map[string]any{}
		for _, name := range union(had, wanted) {
			sub := s.members[name]
			switch {
			case sub == nil:
				out[name] = wanted[name]
			case wanted[name] == nil:
				out[name] = w.nothing(sub)
			default:
				out[name] = w.whole(sub, had[name], wanted[name])
			}
		}
		if s.typed != nil {
			out["@odata.type"] = s.typed(wanted)
		}
		return out
	case set, list:
		l, is := want.([]any)
		if !is {
			return want
		}
		out := make([]any, len(l))
		for i, x := range l {
			out[i] = w.whole(&shape{form: node, members: s.members, typed: s.typed}, nil, x)
		}
		return out
	}
	return want
}

// nothing is how it is written that there is none.
func (w *writing) nothing(s *shape) any {
	if s.beta {
		w.beta = true
	}
	switch s.form {
	case set, list, idSet, enumSet, textSet:
		return []any{}
	}
	return s.absent
}
