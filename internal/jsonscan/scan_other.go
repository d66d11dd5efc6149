//go:build !amd64 || purego

package jsonscan

// Level names the instructions that texts are scanned with: none but Go's.
func Level() string { return "portable" }

func scanBlocks(text []byte, blocks int, out []uint32, st *state, odd, kinds []uint8) int {
	return portableBlocks(text, blocks, out, st, odd, kinds)
}

const scansLines = false

func scanLine(text []byte, blocks int, out []uint32, st *state, odd, kinds []uint8) (n, end int) {
	return 0, -1
}

// implementations are all that this machine can run, for the tests.
func implementations() map[string]scanFunc {
	return map[string]scanFunc{"portable": portableBlocks}
}
