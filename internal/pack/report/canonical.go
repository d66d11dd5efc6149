package report

import (
	"bytes"
	"encoding/json"
)

// canonical is a value as JSON by the rules of RFC 8785, for what is written here: texts,
// whole numbers below 2^53, truths, lists, and objects whose names are ASCII. v has to be
// made of maps, so that names are sorted.
func canonical(v map[string]any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	out := bytes.TrimSuffix(b.Bytes(), []byte{'\n'})
	// The two that encoding/json writes as escapes for JavaScript's sake. A backslash
	// before them would be the second of a pair, and is left.
	return unescape(unescape(out, `\u2028`, "\u2028"), `\u2029`, "\u2029"), nil
}

// unescape writes an escape as what it stands for, but not where its backslash is itself
// escaped.
func unescape(in []byte, escape, as string) []byte {
	if !bytes.Contains(in, []byte(escape)) {
		return in
	}
	out := make([]byte, 0, len(in))
	for i := 0; i < len(in); i++ {
		switch {
		case in[i] != '\\':
			out = append(out, in[i])
		case bytes.HasPrefix(in[i:], []byte(escape)):
			out = append(out, as...)
			i += len(escape) - 1
		default:
			out = append(out, in[i], in[i+1])
			i++
		}
	}
	return out
}
