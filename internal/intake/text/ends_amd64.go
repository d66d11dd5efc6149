//go:build !purego

package text

import "golang.org/x/sys/cpu"

// masksOf fills out with the masks of len(out) blocks of text.
var masksOf = func() func(text []byte, out []masks) {
	list := implementations()
	for _, name := range []string{"avx512", "avx2"} {
		if f := list[name]; f != nil {
			return f
		}
	}
	return portableMasks
}()

// implementations are all that this machine can run.
func implementations() map[string]func(text []byte, out []masks) {
	all := map[string]func(text []byte, out []masks){"portable": portableMasks}
	if cpu.X86.HasAVX2 {
		all["avx2"] = func(text []byte, out []masks) {
			_ = text[len(out)*64-1]
			masksAVX2(&text[0], len(out), &out[0])
		}
	}
	if cpu.X86.HasAVX512BW {
		all["avx512"] = func(text []byte, out []masks) {
			_ = text[len(out)*64-1]
			masksAVX512(&text[0], len(out), &out[0])
		}
	}
	return all
}

//go:noescape
func masksAVX2(text *byte, blocks int, out *masks)

//go:noescape
func masksAVX512(text *byte, blocks int, out *masks)
