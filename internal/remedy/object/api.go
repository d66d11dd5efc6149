package object

import (
	"encoding/json"

	"partnerguard/internal/problem"
	"partnerguard/internal/remedy"
)

// Names gives an id the name that people know it by; "" where it has none. nil is allowed.
type Names func(id string) string

// Change is one difference of two objects. Path is a JSON pointer; Old and New are JSON,
// "" where there is nothing. Words say it to a person, one clause without a full stop.
type Change struct {
	Path  string `json:"path"`
	Old   string `json:"old,omitempty"`
	New   string `json:"new,omitempty"`
	Words string `json:"words"`
}

// Request is one request to Microsoft Graph. Path begins with the version, /v1.0 or /beta.
// The zero value says that there is nothing to do.
type Request struct {
	Method string          `json:"method"`
	Path   string          `json:"path"`
	Body   json.RawMessage `json:"body,omitempty"`
}

// None says that there is nothing to do.
func (r Request) None() bool { return r.Method == "" }

// Canonical brings an object as Microsoft writes it (or a person does) into canonical
// form: members in order, what the server sets left out, null and empty lists left out
// where Graph means the same by them, GUIDs in lower case, lists that are sets in order,
// defaults as the server says them. What is not known stays as it is: see [Unknowns].
// "null" and nothing give nil.
func Canonical(kind remedy.Kind, raw json.RawMessage) (remedy.Object, error) { return nil, todo() }

// Equal says whether two objects mean the same to Graph. nil is no object.
func Equal(kind remedy.Kind, a, b json.RawMessage) bool { return false }

// Diff says what is different, in the order of paths, and in words.
func Diff(kind remedy.Kind, a, b json.RawMessage, names Names) []Change { return nil }

// Words are the lines that say what a plan changes: the comment on top of its file.
func Words(p *remedy.Plan, names Names) []string { return nil }

// Unknowns are the paths of what stands in an object and is not known to us: members, and
// values of enumerations. They are carried along and never written.
func Unknowns(kind remedy.Kind, raw json.RawMessage) []string { return nil }

// ToRequest is the least request that does a step. ids are what the plan has made so far, by key.
// It refuses to write what is not known, and a key that nothing was made for yet. It is
// None where the step changes nothing, and for what a person does.
func ToRequest(step *remedy.Step, ids map[string]string) (Request, error) { return Request{}, todo() }

// Back is the next request that takes a step back, by the object as it is now (nil: gone;
// in canonical form or as Microsoft writes it). Only what the step changed is written, and
// only where it still has the step's value: else the error is of kind [problem.Conflict] and
// says what somebody else changed. It is asked again after each request, until it is None.
// A step that made something must have its ID.
func Back(step *remedy.Step, live json.RawMessage) (Request, error) { return Request{}, todo() }

// Again makes what a step took away anew, where Microsoft keeps it no longer.
func Again(step *remedy.Step) (Request, error) { return Request{}, todo() }

// Read is the path that reads an object, with its version: GET, an answer in the form that
// [Pick] takes. "" for what cannot be read.
func Read(kind remedy.Kind, id string) string { return "" }

// Pick takes the object of an id out of the answer to [Read]; nil where it is not in it.
func Pick(kind remedy.Kind, id string, answer json.RawMessage) (json.RawMessage, error) {
	return nil, todo()
}

// Made is the id of what a create made, from its answer.
func Made(step *remedy.Step, ids map[string]string, answer json.RawMessage) (string, error) {
	return "", todo()
}

// ID completes the ids that a plan's keys stand for, in an id of several parts.
func ID(id string, ids map[string]string) (string, error) { return "", todo() }

// Resolve puts ids into an object in the place of keys; a key without an id is an error.
func Resolve(kind remedy.Kind, o json.RawMessage, ids map[string]string) (remedy.Object, error) {
	return nil, todo()
}

// Needs are Graph's least permissions for a deed, and the least role of the account.
func Needs(kind remedy.Kind, do remedy.Do) (permissions []string, role string) { return nil, "" }

// UndoOf says how a deed is taken back.
func UndoOf(kind remedy.Kind, do remedy.Do) remedy.Undo { return "" }

// Traps are what is known to go wrong with a step, in sentences without a full stop.
func Traps(step *remedy.Step) []string { return nil }

// Complete fills in what a step says by its kind alone: permissions, role, way back, traps.
func Complete(step *remedy.Step) {}

// Check says what of a plan's objects could not be: an object that is not in canonical
// form or not of its kind, a deed that the kind does not have, an id of another form.
func Check(p *remedy.Plan) error { return todo() }

func todo() error { return problem.New(problem.Internal, "this is not built yet") }
