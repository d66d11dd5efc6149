//go:build !judge

package inquiry_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"partnerguard/internal/fraud"
	"partnerguard/internal/fraud/inquiry"
	"partnerguard/internal/fraud/inquiry/inquirytest"
)

// A picture is whole, within its bounds, and holds nothing that runs, whatever names come.
func TestPicture(t *testing.T) {
	t.Parallel()
	al := inquirytest.Alert()
	al.Name = "<script>alert(1)</script>\x1b[31m\u202e"
	al.Status, al.Reason, al.ResolvedAt, al.ResolvedBy = fraud.Resolved, fraud.Fraud, inquirytest.Night.Add(9*3600e9), `"><img>`
	s := inquirytest.Attack()
	s.Machine(inquirytest.Night.Add(1e9), inquirytest.Svc, "svc@fabrikam.example", "<b>", "</text><script>", "Standard_NC24ads_A100_v4", "&<>")
	x := inquirytest.Fold(t, s, inquiry.Options{Alert: al, Known: al.Detected.Add(3600e9), Reads: inquirytest.Whole(), Done: []inquiry.Done{
		{At: inquirytest.Night.Add(8 * 3600e9), By: "local:ada", What: "contained: deallocated 20 machines", Outcome: "done", Contain: true, Ended: true}}}, inquirytest.AsItIs)
	for _, phone := range []bool{false, true} {
		p := x.Draw(phone)
		var b bytes.Buffer
		if err := p.SVG(&b); err != nil {
			t.Fatal(err)
		}
		if name := os.Getenv("PICTURE"); name != "" && !phone {
			_ = os.WriteFile(name, b.Bytes(), 0o600)
		}
		d := xml.NewDecoder(bytes.NewReader(b.Bytes()))
		for {
			tok, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("no XML: %v", err)
			}
			if e, ok := tok.(xml.StartElement); ok && (e.Name.Local == "script" || e.Name.Local == "img" || e.Name.Local == "a") {
				t.Errorf("there is a <%s>", e.Name.Local)
			}
		}
		if strings.ContainsAny(b.String(), "\x1b\u202e") {
			t.Error("signs that no text has")
		}
		if len(p.Lanes) < 5 || len(p.Lines) < 3 || len(p.Ticks) < 2 || len(p.Ticks) > 11 {
			t.Errorf("%d lanes, %d lines, %d ticks", len(p.Lanes), len(p.Lines), len(p.Ticks))
		}
		for _, s := range p.Spots {
			if s.X < 0 || s.X > p.W || s.Y < 0 || s.Y > p.H {
				t.Errorf("a spot lies outside: %+v", s)
			}
		}
		if !strings.Contains(p.Says, "it begins with") {
			t.Errorf("it says %q", p.Says)
		}
	}
	if p := inquirytest.Fold(t, &inquirytest.Story{}, inquiry.Options{Alert: fraud.Alert{ID: "x"}}, inquirytest.AsItIs).Draw(true); len(p.Lanes) != 0 {
		t.Errorf("nothing is drawn as %+v", p)
	}
}
