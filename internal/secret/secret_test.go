package secret_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"partnerguard/internal/secret"
)

const mark = "mark-7f3a-do-not-print"

// TestNothingPrintsASecret pushes a marked secret through every printing door,
// alone and inside a struct, and searches what came out.
func TestNothingPrintsASecret(t *testing.T) {
	t.Parallel()
	type holder struct {
		Name   string
		Secret secret.Text
		Ptr    *secret.Text
	}
	s := secret.New(mark)
	h := holder{"h", s, &s}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T"} {
		fmt.Fprintf(&out, verb, s)
		fmt.Fprintf(&out, verb, &s)
		fmt.Fprintf(&out, verb, h)
	}
	for _, marshal := range []func(any) ([]byte, error){json.Marshal, xml.Marshal} {
		b, err := marshal(h)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(b), secret.Redacted) {
			t.Errorf("the secret's place does not say that it is redacted: %s", b)
		}
		out.Write(b)
	}
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "secret", s, "holder", h)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "secret", s, "holder", h)
	if strings.Contains(out.String(), mark) || strings.Contains(out.String(), fmt.Sprintf("%x", mark)) {
		t.Errorf("the secret was printed:\n%s", out.String())
	}
	if s.Reveal() != mark {
		t.Error("Reveal lost the secret")
	}
}

func TestEqual(t *testing.T) {
	t.Parallel()
	a := secret.New("a")
	if !a.Equal(secret.New("a")) || a.Equal(secret.New("b")) || a.Equal(secret.New("aa")) || a.Equal(secret.Text{}) {
		t.Error("Equal is wrong")
	}
	if !(secret.Text{}).IsZero() || a.IsZero() {
		t.Error("IsZero is wrong")
	}
}
