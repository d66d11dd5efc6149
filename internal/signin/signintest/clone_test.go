package signintest

import (
	"reflect"
	"testing"
	"unsafe"

	"partnerguard/internal/signin"
)

// A clone shares no text with the decoder: every text field is copied.
func TestCloneCopiesEveryText(t *testing.T) {
	t.Parallel()
	var e signin.Event
	n := 0
	for i := range reflect.TypeFor[signin.Event]().NumField() {
		if reflect.TypeFor[signin.Event]().Field(i).Type.Kind() == reflect.String {
			n++
		}
	}
	if n != len(cloneOffsets) {
		t.Errorf("%d texts, %d of them cloned", n, len(cloneOffsets))
	}
	e.OperatingSystem = string([]byte("Windows"))
	if c := Clone(&e); unsafe.StringData(c.OperatingSystem) == unsafe.StringData(e.OperatingSystem) {
		t.Error("the text is shared")
	}
}
