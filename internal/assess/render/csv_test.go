package render

import (
	"io"
	"strings"
	"testing"

	"partnerguard/internal/assess"
	"partnerguard/internal/assess/render/rendertest"
	"partnerguard/internal/page/pagetest"
)

func TestCSVCannotBecomeFormulas(t *testing.T) {
	t.Parallel()
	for kind, r := range reports() {
		for name, f := range map[string]format{"csv": CSV, "accounts csv": AccountsCSV} {
			pagetest.CheckSheet(t, name+" of "+kind, write(t, f, r))
		}
	}
}

func TestCSVSaysEverything(t *testing.T) {
	t.Parallel()
	r := rendertest.Typical()
	rows := pagetest.Sheet(t, write(t, CSV, r))
	if len(rows) != 1+len(r.Requirements) || strings.Join(rows[0][:8], ",") != "id,title,level,binding,verdict,reason,affected,total" {
		t.Fatalf("%d rows, heading %v", len(rows), rows[0])
	}
	for i, row := range rows[1:] {
		if row[0] != r.Requirements[i].ID {
			t.Errorf("row %d is %s: the report's order is lost", i, row[0])
		}
	}
	pagetest.Has(t, strings.Join(rows[1], " "), "mfa-every-user", "mandatory", "enforced", "not_met", "7 41 accounts",
		"frontdesk@contoso.com: succeeded without MFA", "2026-11-18 07:42 UTC, exports/signIns.jsonl.gz:412", " | ", "svc-billing@contoso.com")
	all := pagetest.Sheet(t, write(t, AccountsCSV, r))
	if len(all) != 1+len(r.Accounts) {
		t.Errorf("%d rows of %d accounts", len(all)-1, len(r.Accounts))
	}
}

// TestCausesInEveryForm: what to do first is in the forms that machines read, too.
func TestCausesInEveryForm(t *testing.T) {
	t.Parallel()
	r := rendertest.Typical()
	const want = "2. Remove the excluded location Headquarters from CA002: closes 27 accounts, 126 recorded sign-ins; first do number 3"
	for name, form := range map[string]func(io.Writer, *assess.Report) error{"csv": CSV, "junit": JUnit} {
		if out := write(t, form, r); !strings.Contains(out, want) {
			t.Errorf("%s: %q is missing", name, want)
		}
	}
	for name, out := range map[string]string{"text": shown(t, r, TextOptions{Width: 200}), "html": write(t, HTML, r), "json": write(t, JSON, r)} {
		if !strings.Contains(out, "Remove the excluded location Headquarters from CA002") || !strings.Contains(out, "0a1b2c3d") {
			t.Errorf("%s does not say what to do first, or by which name to rehearse it", name)
		}
	}
}
