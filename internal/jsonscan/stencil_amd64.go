//go:build !purego

package jsonscan

import "golang.org/x/sys/cpu"

// fitsFast says that [Stencil.fast] may be called.
var fitsFast = fast

// fitsWide is for processors with the byte instructions of AVX-512, which compare under
// a mask. It needs none of the second set, and goes with it only to be forced off.
var fitsWide = fast && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512VL && cpu.X86.HasAVX512DQ

// fast is portable for texts with [Slack] bytes behind them. Values with
// backslashes, and numbers out of the ordinary, it leaves to closer.
func (s *Stencil) fast(text []byte, spans []Span, i, pos int) (at, end, why int) {
	if len(spans) == 0 || len(text) == 0 {
		return s.portable(text, spans, i, pos)
	}
	if fitsWide {
		return fitAVX512(&text[0], len(text), &s.fixed[0], &s.pieces[0], &spans[0], i, pos)
	}
	return fitAVX2(&text[0], len(text), &s.fixed[0], &s.pieces[0], &spans[0], i, pos)
}

// fitters are all that this machine can run, for the tests.
func fitters() map[string]fitFunc {
	all := map[string]fitFunc{"portable": (*Stencil).portable}
	with := func(fit func(text *byte, size int, fixed *byte, pieces *piece, spans *Span, i, pos int) (at, end, why int)) fitFunc {
		return func(s *Stencil, text []byte, spans []Span, i, pos int) (at, end, why int) {
			if len(spans) == 0 || len(text) == 0 {
				return s.portable(text, spans, i, pos)
			}
			return fit(&text[0], len(text), &s.fixed[0], &s.pieces[0], &spans[0], i, pos)
		}
	}
	if fitsFast {
		all["avx2"] = with(fitAVX2)
	}
	if fitsWide {
		all["avx512"] = with(fitAVX512)
	}
	return all
}

//go:noescape
func fitAVX2(text *byte, size int, fixed *byte, pieces *piece, spans *Span, i, pos int) (at, end, why int)

//go:noescape
func fitAVX512(text *byte, size int, fixed *byte, pieces *piece, spans *Span, i, pos int) (at, end, why int)
