package front

import (
	"bufio"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestReadCommand(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"a CAPABILITY\r\n":                               {"a", "CAPABILITY"},
		"a capability\n":                                 {"a", "CAPABILITY"},
		"A1 LOGIN me secret\r\n":                         {"A1", "LOGIN", "me", "secret"},
		"A1 login \"m e\" \"s\\\"\\\\x\"\r\n":            {"A1", "LOGIN", "m e", `s"\x`},
		"A1 LOGIN {2}\r\nme {6}\r\nse ret\r\n":           {"A1", "LOGIN", "me", "se ret"},
		"A1 LOGIN {2+}\r\nme {6+}\r\ns\r\nret\r\n":       {"A1", "LOGIN", "me", "s\r\nret"},
		"A1 LOGIN me {0}\r\n\r\n":                        {"A1", "LOGIN", "me", ""},
		"A1 AUTHENTICATE PLAIN AGEAYg==\r\n":             {"A1", "AUTHENTICATE", "PLAIN", "AGEAYg=="},
		"A1 AUTHENTICATE PLAIN =\r\n":                    {"A1", "AUTHENTICATE", "PLAIN", "="},
		"A1 ID (\"name\" \"x\")\r\n":                     nil,
		"\r\n":                                           nil,
		"a\r\n":                                          nil,
		"a LOGIN \"me\r\n":                               nil,
		"a LOGIN \"m\"e x\r\n":                           nil,
		"a LOGIN {2}\r\nmex\r\n":                         nil,
		"a LOGIN {x}\r\n":                                nil,
		"a LOGIN {-1}\r\n":                               nil,
		"a LOGIN {99999999999}\r\n":                      nil,
		"a LOGIN {2000}\r\n":                             nil,
		"a LOGIN {3+}\r\na\x00b c\r\n":                   nil,
		"a+b LOGIN x y\r\n":                              nil,
		strings.Repeat("a", 65) + " NOOP\r\n":            nil,
		"a LOGIN 1 2 3 4 5 6 7 8 9\r\n":                  nil,
		"a LOGIN  x y\r\n":                               nil,
		"a LOGIN \"x\\y\" z\r\n":                         nil,
		"a NOOP" + strings.Repeat(" ", 9000) + "\r\nb\n": nil,
	} {
		c, err := readCommand(bufio.NewReaderSize(strings.NewReader(text), maxLine), func() error { return nil })
		got := append([]string{c.tag, c.name}, c.args...)
		if (err != nil) != (want == nil) || want != nil && !slices.Equal(got, want) {
			t.Errorf("%.60q: %q %v, want %q", text, got, err, want)
		}
	}
	// A literal is waited for only once it was asked for, and never a large one.
	asked := 0
	_, _ = readCommand(bufio.NewReader(strings.NewReader("a LOGIN {3}\r\nabc {1025}\r\n")), func() error { asked++; return nil })
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
	if _, err := readCommand(bufio.NewReader(strings.NewReader("a LOGIN {1025+}\r\n")), nil); errors.Is(err, errSyntax) || err == nil {
		t.Errorf("a large one that does not wait ends the connection: %v", err)
	}
}

func FuzzReadCommand(f *testing.F) {
	f.Add([]byte("A1 LOGIN \"m e\" {3+}\r\nabc\r\nb NOOP\r\n"))
	f.Add([]byte("A1 AUTHENTICATE PLAIN AGEAYg==\r\n"))
	f.Add([]byte("0 \r0\n")) // a name that is none was handed out with the fault
	f.Fuzz(func(t *testing.T, b []byte) {
		in := bufio.NewReaderSize(strings.NewReader(string(b)), maxLine)
		for range 50 {
			c, err := readCommand(in, func() error { return nil })
			size := len(c.tag) + len(c.name)
			for _, a := range c.args {
				size += len(a)
			}
			if size > 2*maxAllText || len(c.args) > maxArgs || strings.ContainsAny(c.tag+c.name, "\r\n") {
				t.Fatalf("%q", c)
			}
			if err != nil && !errors.Is(err, errSyntax) {
				return
			}
		}
	})
}

func FuzzReadPlain(f *testing.F) {
	f.Add("AGEAYg==")
	f.Add("YQBhAGI=")
	f.Fuzz(func(t *testing.T, s string) {
		user, password, err := readPlain(s)
		if err == nil && (user == "" || strings.ContainsRune(user+password, 0)) {
			t.Fatalf("%q %q", user, password)
		}
	})
}

func TestReadPlain(t *testing.T) {
	t.Parallel()
	e := base64.StdEncoding.EncodeToString
	for raw, want := range map[string]string{"\x00a\x00b": "a b", "a\x00a\x00b": "a b", "c\x00a\x00b": "", "a\x00b": "", "\x00\x00b": "", "\x00a\x00b\x00c": "",
		"\x00a\x00" + strings.Repeat("x", 2000): ""} {
		user, password, err := readPlain(e([]byte(raw)))
		if (err == nil) != (want != "") || err == nil && user+" "+password != want {
			t.Errorf("%.20q: %q %q %v", raw, user, password, err)
		}
	}
	if _, _, err := readPlain("!"); err == nil {
		t.Error("no base64 is taken")
	}
}
