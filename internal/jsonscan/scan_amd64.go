//go:build !purego

package jsonscan

import "golang.org/x/sys/cpu"

// wide is for processors with the second set of byte instructions of AVX-512,
// which pack places and do not slow down for 512 bits.
var wide = fast && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512VL && cpu.X86.HasAVX512VBMI2

var fast = cpu.X86.HasAVX2 && cpu.X86.HasBMI1 && cpu.X86.HasBMI2 && cpu.X86.HasPCLMULQDQ && cpu.X86.HasPOPCNT

// Level names the instructions that texts are scanned with: "avx512", "avx2" or "portable". A
// lower one than the processor has is forced for a process by its environment:
// GODEBUG=cpu.avx512vbmi2=off for avx2, GODEBUG=cpu.avx2=off for portable.
func Level() string {
	switch {
	case wide:
		return "avx512"
	case fast:
		return "avx2"
	}
	return "portable"
}

// scanBlocks lists the tokens of the first blocks*64 bytes of text in out,
// which must have room for one entry a byte and 64 more, marks in odd the
// blocks with a backslash or a byte outside ASCII, writes the tokens' kinds, for
// which the same room is needed, and carries st on.
func scanBlocks(text []byte, blocks int, out []uint32, st *state, odd, kinds []uint8) int {
	_, _, _, _ = text[blocks*64-1], out[blocks*64+63], odd[blocks-1], kinds[blocks*64+63]
	switch {
	case wide:
		n, _ := scanAVX512(&text[0], blocks, &out[0], st, &odd[0], &kinds[0], 0)
		return n
	case fast:
		base := st.base
		n := scanAVX2(&text[0], blocks, &out[0], st, &odd[0])
		kindsOf(text, out[:n], uint32(base), kinds)
		return n
	}
	return portableBlocks(text, blocks, out, st, odd, kinds)
}

// implementations are all that this machine can run, for the tests.
func implementations() map[string]scanFunc {
	all := map[string]scanFunc{"portable": portableBlocks}
	if fast {
		all["avx2"] = func(text []byte, blocks int, out []uint32, st *state, odd, kinds []uint8) int {
			base := st.base
			n := scanAVX2(&text[0], blocks, &out[0], st, &odd[0])
			kindsOf(text, out[:n], uint32(base), kinds)
			return n
		}
	}
	if wide {
		all["avx512"] = func(text []byte, blocks int, out []uint32, st *state, odd, kinds []uint8) int {
			n, _ := scanAVX512(&text[0], blocks, &out[0], st, &odd[0], &kinds[0], 0)
			return n
		}
	}
	return all
}

// scansLines says that scanLine may be called.
var scansLines = wide

// scanLine is scanBlocks up to the first line feed; end is its place, or
// negative when there is none.
func scanLine(text []byte, blocks int, out []uint32, st *state, odd, kinds []uint8) (n, end int) {
	_, _, _, _ = text[blocks*64-1], out[blocks*64+63], odd[blocks-1], kinds[blocks*64+63]
	return scanAVX512(&text[0], blocks, &out[0], st, &odd[0], &kinds[0], ^uint64(0))
}

//go:noescape
func scanAVX512(text *byte, blocks int, out *uint32, st *state, odd, kinds *uint8, lineFeeds uint64) (n, end int)

//go:noescape
func scanAVX2(text *byte, blocks int, out *uint32, st *state, odd *uint8) int
