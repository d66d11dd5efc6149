package object

import (
	"encoding/json"
	"maps"
	"net/http"
	"strings"

	"partnerguard/internal/problem"
	"partnerguard/internal/remedy"
)

// Back is the next request that takes a step back, by the object as it is now: nil where it
// is gone, else as Microsoft writes it. Only what the step changed is written, and only
// where it still has the step's value: else the error is of kind [problem.Conflict] and
// says what somebody else changed. It is asked again after each request, with the object
// as it is then, until it is None. Keys must be resolved: see [Resolved].
func Back(step *remedy.Step, live json.RawMessage) (Request, error) {
	k := kinds[step.Kind]
	if k == nil || k.do[step.Do] == "" {
		return Request{}, problem.New(problem.BadInput, "%.20q is nothing that can be done to a %s", string(step.Do), KindWords(step.Kind))
	}
	if k.shape == nil {
		return Request{}, nil
	}
	if !k.one && !step.Kind.IsID(step.ID) {
		return Request{}, problem.New(problem.BadInput, "the %s has no id by which it could be taken back", k.words)
	}
	now, _, err := tree(step.Kind, live)
	if err != nil {
		return Request{}, err
	}
	switch step.Do {
	case remedy.Create:
		return backCreate(k, step, now)
	case remedy.Delete:
		return backDelete(k, step, now)
	}
	return backUpdate(k, step, now)
}

// Resolved is a step with ids in the place of keys.
func Resolved(step *remedy.Step, ids map[string]string) (*remedy.Step, error) {
	out := *step
	var err error
	if out.ID, err = ID(step.ID, ids); err != nil {
		return nil, err
	}
	if out.After, err = Resolve(step.Kind, step.After, ids); err != nil && step.Kind != remedy.Person {
		return nil, err
	}
	return &out, nil
}

// backCreate removes what was made, unless somebody else has changed it since.
func backCreate(k *kind, step *remedy.Step, now map[string]any) (Request, error) {
	if now == nil {
		return Request{}, nil
	}
	made, _, err := tree(step.Kind, step.After)
	if err != nil {
		return Request{}, err
	}
	w := &writing{kind: k, step: step, id: step.ID, was: now}
	if step.Kind == remedy.Location && made["isTrusted"] == true && !same(now, made) { // the request before this one
		made = maps.Clone(made)
		delete(made, "isTrusted")
	}
	if !same(now, made) {
		return Request{}, conflict(step, made, now)
	}
	if step.Kind == remedy.Location && now["isTrusted"] == true {
		w.want = maps.Clone(now)
		delete(w.want, "isTrusted")
		return w.update()
	}
	return w.remove()
}

// backDelete brings back what was taken away.
func backDelete(k *kind, step *remedy.Step, now map[string]any) (Request, error) {
	if now != nil {
		return Request{}, nil
	}
	switch k.do[remedy.Delete] {
	case remedy.SoftDeleted:
		name := k.base[strings.LastIndexByte(k.base, '/')+1:]
		return Request{Method: http.MethodPost, Path: "/beta/identity/conditionalAccess/deletedItems/" + name + "/" + step.ID + "/restore"}, nil
	case remedy.Recreates:
		return Again(step)
	}
	return Request{}, problem.New(problem.Conflict, "a %s that was removed does not come back", k.words).
		WithHint("make a new one, and give it to whoever used it")
}

// Again makes what a step took away anew, where Microsoft keeps it no longer: its id is
// another one then.
func Again(step *remedy.Step) (Request, error) {
	if step.Kind == remedy.Credential {
		return Request{}, problem.New(problem.Conflict, "a credential that was removed does not come back")
	}
	return ToRequest(&remedy.Step{Do: remedy.Create, Kind: step.Kind, After: step.Before, N: step.N}, nil)
}

// backUpdate writes what was, where what the step wrote still stands.
func backUpdate(k *kind, step *remedy.Step, now map[string]any) (Request, error) {
	if now == nil {
		return Request{}, problem.New(problem.Conflict, "the %s is gone: somebody deleted it", k.words).
			WithHint("restore it first; Microsoft keeps policies and named locations for 30 days")
	}
	before, _, err := tree(step.Kind, step.Before)
	if err != nil {
		return Request{}, err
	}
	after, _, err := tree(step.Kind, step.After)
	if err != nil {
		return Request{}, err
	}
	target, clash := merged(k.shape, before, after, now)
	if clash {
		return Request{}, conflict(step, after, now)
	}
	w := &writing{kind: k, step: step, id: step.ID, was: now, want: target}
	_, w.odd, _ = tree(step.Kind, write(now))
	return w.update()
}

// merged is now with before in the place of after, member by member; clash says that
// a member that the step changed has neither value.
func merged(s *shape, before, after, now map[string]any) (out map[string]any, clash bool) {
	out = maps.Clone(now)
	if out == nil {
		out = map[string]any{}
	}
	for _, name := range union(before, after) {
		b, a, n := before[name], after[name], now[name]
		if same(a, b) || same(n, b) {
			continue
		}
		if same(n, a) {
			if out[name] = b; b == nil {
				delete(out, name)
			}
			continue
		}
		sub := s.members[name]
		bm, bIs := b.(map[string]any)
		am, aIs := a.(map[string]any)
		nm, nIs := n.(map[string]any)
		if sub == nil || sub.form != node || !bIs && b != nil || !aIs && a != nil || !nIs {
			return out, true
		}
		deeper, no := merged(sub, bm, am, nm)
		if no {
			return out, true
		}
		if out[name] = deeper; len(deeper) == 0 && !sub.keep {
			delete(out, name)
		}
	}
	return out, false
}

// conflict says what somebody else changed.
func conflict(step *remedy.Step, ours, now map[string]any) error {
	changes := diff(kinds[step.Kind].shape, ours, now, "", nil)
	var words []string
	for i, c := range changes {
		if i == 3 && len(changes) > 4 {
			words = append(words, "and more")
			break
		}
		words = append(words, c.Words)
	}
	return problem.New(problem.Conflict, "somebody else changed the %s since: %s", KindWords(step.Kind), strings.Join(words, "; ")).
		WithHint("look at it; then set it by hand, or plan anew from what is there")
}
