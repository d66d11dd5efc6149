package odata

import "time"

// Kinds of values, by the names that Graph gives them in refusals. What is neither
// of them, null too, is "".
const (
	KindBool   = "Edm.Boolean"
	KindText   = "Edm.String"
	KindNumber = "Edm.Int32"
	KindTime   = "Edm.DateTimeOffset"
	KindMany   = "Collection"
)

// Check refuses comparisons of what cannot be compared, which would never be true, and
// conditions that are none: a filter that finds nothing by mistake looks like one that
// found nothing. kind gives the kind of a property, "" when it is not known.
func (f *Filter) Check(kind func(path []string) string) error {
	k, err := kindOf(f.root, kind)
	if err != nil {
		return err
	}
	return condition(k)
}

func condition(k string) error {
	if k == "" || k == KindBool {
		return nil
	}
	return bad("Invalid filter clause: The filter expression must evaluate to a single boolean value, not to '%s'.", k)
}

// operators are their names in refusals.
var operators = map[string]string{"eq": "Equal", "ne": "NotEqual", "gt": "GreaterThan", "ge": "GreaterThanOrEqual", "lt": "LessThan",
	"le": "LessThanOrEqual"}

// kindOf gives the kind of an expression after a check of what it is made of.
func kindOf(n node, kind func([]string) string) (string, error) {
	switch x := n.(type) {
	case *literal:
		return kindOfValue(x.v), nil
	case *path:
		if x.bound {
			return "", nil
		}
		return kind(x.names), nil
	case *count:
		return KindNumber, nil
	case *logic:
		return KindBool, conditions(kind, x.a, x.b)
	case *not:
		return KindBool, conditions(kind, x.a)
	case *lambda:
		if x.body == nil {
			return KindBool, nil
		}
		return KindBool, conditions(kind, x.body)
	case *compare:
		return KindBool, sides(x.a, x.b, operators[x.op], kind)
	case *within:
		for _, e := range x.list {
			if err := sides(x.a, e, "Equal", kind); err != nil {
				return "", err
			}
		}
		return KindBool, nil
	case *call:
		return kindOfCall(x, kind)
	}
	return "", nil
}

func kindOfValue(v any) string {
	switch v.(type) {
	case bool:
		return KindBool
	case string:
		return KindText
	case float64:
		return KindNumber
	case time.Time:
		return KindTime
	}
	return ""
}

func conditions(kind func([]string) string, list ...node) error {
	for _, n := range list {
		k, err := kindOf(n, kind)
		if err == nil {
			err = condition(k)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func kindOfCall(x *call, kind func([]string) string) (string, error) {
	for _, a := range x.args {
		k, err := kindOf(a, kind)
		if err != nil {
			return "", err
		}
		if k != "" && k != KindText {
			return "", bad("Invalid filter clause: No function signature for the function with name '%s' matches the specified arguments.", x.name)
		}
	}
	switch x.name {
	case "tolower", "toupper":
		return KindText, nil
	case "length":
		return KindNumber, nil
	}
	return KindBool, nil
}

// sides checks the two sides of a comparison. A moment may be written as text.
func sides(a, b node, op string, kind func([]string) string) error {
	x, err := kindOf(a, kind)
	if err != nil {
		return err
	}
	y, err := kindOf(b, kind)
	if err != nil || x == "" || y == "" || x == y && x != KindMany {
		return err
	}
	if x == KindTime && momentText(b) || y == KindTime && momentText(a) {
		return nil
	}
	return bad("Invalid filter clause: A binary operator with incompatible types was detected. Found operand types '%s' and '%s' for operator kind '%s'.",
		x, y, op)
}

// momentText reports a text that is a moment.
func momentText(n node) bool {
	l, ok := n.(*literal)
	if !ok {
		return false
	}
	s, ok := l.v.(string)
	if !ok {
		return false
	}
	_, ok = parseTime(s)
	return ok
}
