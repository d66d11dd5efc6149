package view

import "bytes"

// members calls take with the name, as it is written between its quotes, and the
// value of each member of the JSON object b, and reports whether b is one from end
// to end, as far as braces and quotes tell: what is in a value is for whoever reads
// it. take ends the walk by false.
func members(b []byte, take func(name, value []byte) bool) bool {
	i := space(b, 0)
	if i == len(b) || b[i] != '{' {
		return false
	}
	if i = space(b, i+1); i < len(b) && b[i] == '}' {
		return space(b, i+1) == len(b)
	}
	for i < len(b) && b[i] == '"' {
		end := text(b, i)
		if end < 0 {
			return false
		}
		name := b[i+1 : end-1]
		if i = space(b, end); i == len(b) || b[i] != ':' {
			return false
		}
		i = space(b, i+1)
		if end = value(b, i); end < 0 {
			return false
		}
		if !take(name, b[i:end]) {
			return true
		}
		if i = space(b, end); i == len(b) {
			return false
		}
		if b[i] == '}' {
			return space(b, i+1) == len(b)
		}
		if b[i] != ',' {
			return false
		}
		i = space(b, i+1)
	}
	return false
}

// elements calls take with each element of the JSON array b.
func elements(b []byte, take func(value []byte) error) (ok bool, err error) {
	i := space(b, 0)
	if i == len(b) || b[i] != '[' {
		return false, nil
	}
	if i = space(b, i+1); i < len(b) && b[i] == ']' {
		return true, nil
	}
	for i < len(b) {
		end := value(b, i)
		if end < 0 {
			return false, nil
		}
		if err := take(b[i:end]); err != nil {
			return true, err
		}
		if i = space(b, end); i == len(b) {
			return false, nil
		}
		if b[i] == ']' {
			return true, nil
		}
		if b[i] != ',' {
			return false, nil
		}
		i = space(b, i+1)
	}
	return false, nil
}

func space(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\r' || b[i] == '\t') {
		i++
	}
	return i
}

// text gives the place behind the string that begins at i, or -1.
func text(b []byte, i int) int {
	for i++; i < len(b); i++ {
		n := bytes.IndexByte(b[i:], '"')
		if n < 0 {
			return -1
		}
		i += n
		back := i - 1
		for b[back] == '\\' { // the opening quote ends it
			back--
		}
		if (i-back)&1 == 1 {
			return i + 1
		}
	}
	return -1
}

// maxDepth is how deep a value may nest.
const maxDepth = 1000

// value gives the place behind the value that begins at i, or -1.
func value(b []byte, i int) int {
	if i >= len(b) {
		return -1
	}
	switch b[i] {
	case '"':
		return text(b, i)
	case '{', '[':
		depth := 0
		for i < len(b) {
			switch b[i] {
			case '"':
				if i = text(b, i); i < 0 {
					return -1
				}
				continue
			case '{', '[':
				if depth++; depth > maxDepth {
					return -1
				}
			case '}', ']':
				if depth--; depth == 0 {
					return i + 1
				}
			}
			i++
		}
		return -1
	case ',', ':', '}', ']':
		return -1
	}
	from := i
	for i < len(b) && b[i] != ',' && b[i] != '}' && b[i] != ']' && b[i] > ' ' {
		i++
	}
	if i == from {
		return -1
	}
	return i
}

// oneLine puts a value on one line: within valid JSON a line end is blank.
func oneLine(b []byte) []byte {
	if bytes.IndexByte(b, '\n') < 0 && bytes.IndexByte(b, '\r') < 0 {
		return b
	}
	out := bytes.Clone(b)
	for i, c := range out {
		if c == '\n' || c == '\r' {
			out[i] = ' '
		}
	}
	return out
}
