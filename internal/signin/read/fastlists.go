package read

import (
	"unsafe"

	"partnerguard/internal/signin"
	"partnerguard/internal/signin/texts"
)

// fields walks the object at token k and calls read for each known key; null
// is no object. It refuses duplicates and keys that need the slow decoder.
func (d *Decoder) fields(t *keyTable, k int, read func(f field, k int) (int, bool)) (next int, ok bool) {
	x := &d.x
	if x.At(k) != '{' {
		d.noteOther(opNull, k, nil)
		return k + 1, d.null(k)
	}
	k++
	if x.At(k) == '}' {
		return k + 1, true
	}
	var seen uint64
	last := &t.root
	for {
		entry, ok := d.key(t, last, k)
		if !ok {
			return 0, false
		}
		last = entry
		k += 2
		switch f := entry.field; {
		case f == fieldSkip:
			if x.At(k) == '"' {
				k++
			} else if k, ok = x.Skip(k); !ok {
				return 0, false
			}
		case f == fieldOdd || seen>>f&1 != 0:
			return 0, false
		default:
			seen |= 1 << f
			if k, ok = read(f, k); !ok {
				return 0, false
			}
		}
		switch x.At(k) {
		case ',':
			k++
		case '}':
			return k + 1, true
		default:
			return 0, false
		}
	}
}

// key finds what the key at token k means and checks that a colon follows.
func (d *Decoder) key(t *keyTable, last *keyEntry, k int) (*keyEntry, bool) {
	x := &d.x
	at := int(x.Pos[k])
	// The bytes of the key expected next, from quote to colon, can only be the
	// tokens k and k+1.
	if e := last.next; e != nil && at+len(e.quoted) <= len(x.Text) &&
		sameKey(e.quoted, unsafe.String(&x.Text[at], len(e.quoted))) {
		d.noteKey(e, k)
		return e, true
	}
	if x.At(k) != '"' || x.At(k+1) != ':' {
		return nil, false
	}
	from, to, ok := x.String(k)
	if !ok {
		return nil, false
	}
	e := t.lookup(last, unsafe.String((*byte)(unsafe.Add(unsafe.Pointer(&x.Text[0]), from)), to-from))
	d.noteKey(e, k)
	return e, true
}

// elements walks the array at token k; null is no array.
func (d *Decoder) elements(k int, read func(k int) (int, bool)) (next int, ok bool) {
	x := &d.x
	if x.At(k) != '[' {
		d.noteOther(opNull, k, nil)
		return k + 1, d.null(k)
	}
	k++
	if x.At(k) == ']' {
		return k + 1, true
	}
	for {
		if k, ok = read(k); !ok {
			return 0, false
		}
		switch x.At(k) {
		case ',':
			k++
		case ']':
			return k + 1, true
		default:
			return 0, false
		}
	}
}

// textsInto reads an array of texts without the empty ones.
func (d *Decoder) textsInto(to *[]string, k int) (next int, ok bool) {
	start := len(d.texts)
	next, ok = d.elements(k, func(k int) (int, bool) {
		s, ok := d.readText(k)
		if d.x.At(k) == 'n' {
			d.noteOther(opListNull, k, nil)
		} else {
			d.noteOther(opListText, k, nil)
		}
		if s != "" {
			d.texts = append(d.texts, s)
		}
		return k + 1, ok
	})
	if end := len(d.texts); end > start {
		*to = d.texts[start:end:end]
	}
	d.noteOther(opListEnd, k, unsafe.Pointer(to))
	return next, ok
}

func (d *Decoder) readSteps(k int, e *signin.Event) (next int, ok bool) {
	if len(d.steps) > 0 { // both levels have some
		return 0, false
	}
	d.templates.now.listsInside[0] = e == &d.inner
	next, ok = d.elements(k, func(k int) (int, bool) {
		if d.x.At(k) != '{' {
			return 0, false
		}
		d.steps = append(d.steps, signin.Step{})
		s := &d.steps[len(d.steps)-1]
		return d.fields(d.step, k, func(f field, k int) (int, bool) {
			switch f {
			case 2:
				return d.textInto(&s.Method, k)
			case 3:
				return d.textInto(&s.MethodDetail, k)
			case 4:
				return d.triInto(&s.Succeeded, k)
			case 5:
				return d.textInto(&s.ResultDetail, k)
			}
			return d.textInto(&s.Requirement, k)
		})
	})
	if len(d.steps) > 0 {
		e.Steps = d.steps
	}
	return next, ok
}

func (d *Decoder) readRequirements(k int, e *signin.Event) (next int, ok bool) {
	if len(d.requirements) > 0 { // both levels have some
		return 0, false
	}
	d.templates.now.listsInside[1] = e == &d.inner
	next, ok = d.elements(k, func(k int) (int, bool) {
		if d.x.At(k) != '{' {
			return 0, false
		}
		d.requirements = append(d.requirements, signin.RequirementPolicy{})
		p := &d.requirements[len(d.requirements)-1]
		return d.fields(d.requirement, k, func(f field, k int) (int, bool) {
			if f == 2 {
				return d.textInto(&p.Provider, k)
			}
			return d.textInto(&p.Detail, k)
		})
	})
	if len(d.requirements) > 0 {
		e.RequirementPolicies = d.requirements
	}
	return next, ok
}

func (d *Decoder) readPolicies(k int, e *signin.Event) (next int, ok bool) {
	if len(d.policies) > 0 { // both levels have some
		return 0, false
	}
	d.templates.now.listsInside[2] = e == &d.inner
	next, ok = d.elements(k, func(k int) (int, bool) {
		if d.x.At(k) != '{' {
			return 0, false
		}
		d.policies = append(d.policies, signin.AppliedPolicy{})
		p := &d.policies[len(d.policies)-1]
		return d.fields(d.policy, k, func(f field, k int) (int, bool) {
			switch f {
			case 2:
				return d.textInto(&p.ID, k)
			case 3:
				return d.textInto(&p.DisplayName, k)
			case 4:
				return d.textInto(&p.Result, k)
			}
			return d.textsInto(&p.GrantControls, k)
		})
	})
	if len(d.policies) > 0 {
		e.Policies = d.policies
	}
	return next, ok
}

// sameKey is a == b, written out because keys are short and there are many:
// a call to compare them costs more than comparing.
func sameKey(a, b string) bool {
	n := len(a)
	if n != len(b) {
		return false
	}
	if n < 8 || n > 40 {
		return a == b
	}
	p, q := unsafe.Pointer(unsafe.StringData(a)), unsafe.Pointer(unsafe.StringData(b))
	d := (texts.Word(p, n-8) ^ texts.Word(q, n-8)) | (texts.Word(p, 0) ^ texts.Word(q, 0))
	if n > 16 {
		d |= texts.Word(p, 8) ^ texts.Word(q, 8)
		if n > 24 {
			d |= texts.Word(p, 16) ^ texts.Word(q, 16)
		}
		if n > 32 {
			d |= texts.Word(p, 24) ^ texts.Word(q, 24)
		}
	}
	return d == 0
}
