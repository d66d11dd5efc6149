package front

import (
	"context"
	"errors"
	"testing"

	"partnerguard/internal/bridge"
)

// open are doors that every device may be in by.
type open struct{ Doors }

func (open) Still(context.Context, string) error { return nil }

// The envelope's sender is the device's own, whatever the message's head says later; and
// nobody sends who is not in.
func TestEnvelopeSender(t *testing.T) {
	t.Parallel()
	x := &submission{s: &Server{d: Deps{Doors: open{}}}, dev: &bridge.Device{ID: "bd-1", Mailbox: "scans@contoso.example",
		Senders: []string{"desk@contoso.example"}}}
	for from, want := range map[string]error{"scans@contoso.example": nil, "Desk@contoso.example": nil, "boss@contoso.example": errSender, "": errSender,
		"scans@contoso.example> SIZE=1": errSender} {
		if err := x.Mail(from, nil); want == nil && err != nil || !errors.Is(err, want) {
			t.Errorf("%q: %v", from, err)
		}
		if want != nil && x.from == from && from != "" {
			t.Errorf("%q is kept", from)
		}
	}
	out := &submission{s: x.s}
	if err := errors.Join(out.Mail("scans@contoso.example", nil)); !errors.Is(err, errWho) {
		t.Error(err)
	}
	if err := out.Rcpt("ben@contoso.example", nil); !errors.Is(err, errWho) {
		t.Error(err)
	}
	if err := out.Data(nil); !errors.Is(err, errWho) {
		t.Error(err)
	}
}
