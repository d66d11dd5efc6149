package kit

import "net/http"

// LeftOut refuses what Microsoft serves and the partner cloud does not, by its
// name: 501, so that nobody takes it for something that does not exist.
func LeftOut(name string) *Fault {
	return Refuse(http.StatusNotImplemented, "NotImplemented", name+" is left out of the partner cloud.")
}
