package object

import (
	"strings"

	"partnerguard/internal/pattern"
)

// form is what a value is.
type form uint8

const (
	verbatim form = iota // kept as it is, known whatever it says
	text                 // one text
	ident                // one id: a GUID, or one of words
	boolean
	number
	enum    // one of words
	flags   // some of words, joined by commas
	idSet   // ids, or one of words; the order says nothing
	enumSet // some of words; the order says nothing
	textSet // texts; the order says nothing
	set     // objects; the order says nothing
	list    // values in an order that matters
	node    // an object of members
	server  // the server's own: left out
)

// shape is what is known of a value. A value of another form than its shape is kept
// as it is, and not known.
type shape struct {
	form    form
	words   []string
	pattern *pattern.Pattern // what else than words an ident or an idSet may hold
	members map[string]*shape
	// beta says that Graph has it in beta alone.
	beta bool
	// absent is the value that Graph means when there is none; nil null.
	absent any
	// upper and lower say in which case texts are kept.
	upper, lower bool
	// off says that {isEnabled: false} means that there is none.
	off bool
	// keep says that an object without members is not the same as none.
	keep bool
	// fill are the values that the server sets beside what is there.
	fill map[string]any
	// typed adds @odata.type when it is written.
	typed func(map[string]any) string
	// other says that members that are not known are not this kind's business.
	other bool
}

var (
	guidForm = pattern.Later(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
	keyForm  = pattern.Later(`^\{[a-z][a-z0-9-]{0,39}\}$`)
	context  = pattern.Later(`^c[1-9][0-9]?$`)
	anyText  = pattern.Later(`^[^\x00-\x1f]{1,500}$`)
)

// future is what Graph says for a member of an enumeration that the caller did not ask
// for. It is refused when it is written.
const future = "unknownFutureValue"

func one(f form, words ...string) *shape { return &shape{form: f, words: words} }

func members(m map[string]*shape) *shape { return &shape{form: node, members: m} }

func (s *shape) inBeta() *shape { s.beta = true; return s }

func (s *shape) none(v any) *shape { s.absent = v; return s }

func (s *shape) whenOn() *shape { s.off = true; return s }

func (s *shape) typedBy(f func(map[string]any) string) *shape { s.typed = f; return s }

func (s *shape) matching(re *pattern.Pattern) *shape { s.pattern = re; return s }

// member finds a member whatever its case, and how Graph writes it.
func (s *shape) member(name string) (string, *shape) {
	if m := s.members[name]; m != nil {
		return name, m
	}
	for k, m := range s.members {
		if strings.EqualFold(k, name) {
			return k, m
		}
	}
	return name, nil
}

// word brings a word of an enumeration into the form Graph writes.
func (s *shape) word(v string) (string, bool) {
	v = strings.TrimSpace(v)
	for _, w := range s.words {
		if strings.EqualFold(w, v) {
			return w, true
		}
	}
	return v, false
}

// id brings an id into its form: GUIDs in lower case, words as Graph writes them.
func (s *shape) id(v string) (string, bool) {
	w, known := s.word(v)
	switch {
	case known:
		return w, true
	case guidForm.MatchString(w):
		return strings.ToLower(w), true
	case keyForm.MatchString(w):
		return w, true
	}
	return w, s.pattern != nil && s.pattern.MatchString(w) && w != future
}

// scalar brings one text into its form.
func (s *shape) scalar(v string) (string, bool) {
	switch s.form {
	case ident, idSet:
		return s.id(v)
	case enum, enumSet:
		return s.word(v)
	}
	switch {
	case s.upper:
		v = strings.ToUpper(v)
	case s.lower:
		v = strings.ToLower(v)
	}
	return v, true
}
