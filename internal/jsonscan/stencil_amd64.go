//go:build !purego

package jsonscan

// fitsFast says that [Stencil.fast] may be called.
var fitsFast = fast

// fast is portable for texts with [Slack] bytes behind them. Values with
// backslashes, and numbers out of the ordinary, it leaves to closer.
func (s *Stencil) fast(text []byte, spans []Span, i, pos int) (at, end, why int) {
	if len(spans) == 0 || len(text) == 0 {
		return s.portable(text, spans, i, pos)
	}
	return fitAVX2(&text[0], len(text), &s.fixed[0], &s.pieces[0], &spans[0], i, pos)
}

//go:noescape
func fitAVX2(text *byte, size int, fixed *byte, pieces *piece, spans *Span, i, pos int) (at, end, why int)
