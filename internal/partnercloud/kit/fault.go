package kit

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Fault is a refusal. Its text is safe to show to whoever called. It is an error,
// for handlers that return one.
type Fault struct {
	Status int
	Code   any // text; Partner Center has numbers too
	Text   string
	Inner  string // a second, finer code, where the API has one
	Form   Form
	Data   []string // particulars, where the API has a place for them
	header [][2]string
}

// Form is a departure from the API's usual body.
type Form uint8

// Forms of a refusal's body.
const (
	Usual   Form = iota
	Bare         // no body
	Gateway      // what stands in front of the API refused, in its own shape
)

// Refuse makes a refusal.
func Refuse(status int, code any, text string) *Fault {
	return &Fault{Status: status, Code: code, Text: text}
}

// Refusef makes a refusal with a text made by format.
func Refusef(status int, code any, format string, args ...any) *Fault {
	return Refuse(status, code, fmt.Sprintf(format, args...))
}

// Error is the text.
func (f *Fault) Error() string { return f.Text }

// With adds a header to the answer and gives the refusal back.
func (f *Fault) With(name, value string) *Fault {
	f.header = append(f.header, [2]string{name, value})
	return f
}

// Headers sets the headers that go with the refusal.
func (f *Fault) Headers(h http.Header) {
	for _, x := range f.header {
		h.Set(x[0], x[1])
	}
}

// Seconds is a time to wait as Retry-After says it: rounded up, at least one.
func Seconds(wait time.Duration) int {
	return max(int((wait+time.Second-1)/time.Second), 1)
}

// RetryAfter says in the answer how long to wait.
func (f *Fault) RetryAfter(wait time.Duration) *Fault {
	return f.With("Retry-After", strconv.Itoa(Seconds(wait)))
}
