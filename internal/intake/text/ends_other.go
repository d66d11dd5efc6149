//go:build !amd64 || purego

package text

var masksOf = portableMasks

func implementations() map[string]func(text []byte, out []masks) {
	return map[string]func(text []byte, out []masks){"portable": portableMasks}
}
