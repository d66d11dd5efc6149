//go:build !amd64 || purego

package jsonscan

const fitsFast = false

func (s *Stencil) fast(text []byte, spans []Span, i, pos int) (at, end, why int) {
	return s.portable(text, spans, i, pos)
}

// fitters are all that this machine can run, for the tests.
func fitters() map[string]fitFunc { return map[string]fitFunc{"portable": (*Stencil).portable} }
