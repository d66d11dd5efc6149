package app_test

import (
	"strings"
	"testing"

	"partnerguard/internal/factor"
	"partnerguard/internal/labtest"
	"partnerguard/internal/mfa"
	"partnerguard/internal/mfa/oath"
	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/sam/capture"
	"partnerguard/internal/secret"
)

// TestOath uploads the seed of somebody's authenticator app as a hardware OATH token, by
// a plan that is written, read and applied; applied again, nothing is left to do.
func TestOath(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	a, err := d.s.SAM.Store.App(ctx, labtest.PanelApp)
	must(err)
	c, err := d.s.SAM.Capture()
	must(err)
	d.Lab.Connect(c, capture.Request{Name: "panel", Cloud: d.s.Cloud, App: a, Features: []capture.Feature{capture.HardwareOATH}}, labtest.Admin)

	who := mfa.Account{Tenant: d.Info.Tenant.ID}
	d.Edit(func(_ *world.State, w *world.Tenant) { who.Object = w.UserByName(labtest.NoMFA).ID })
	_, link, err := d.s.MFA.Invite(ctx, who, "No MFA", labtest.NoMFA, "local:help")
	must(err)
	at := strings.LastIndex(link.Reveal(), "/")
	x, _, err := d.s.MFA.BeginInvited(ctx, secret.New(link.Reveal()[at+1:]))
	must(err)
	p, err := d.s.MFA.Of(ctx, who)
	must(err)
	got, err := d.s.MFA.AskPasscodes(ctx, &x, &p)
	must(err)
	e, err := factor.ReadURI(got.URI)
	must(err)
	code, err := e.Seed.Code(e.Seed.Step(d.Now()))
	must(err)
	_, _, err = d.s.MFA.AddPasscodes(ctx, &x, "phone", code)
	must(err)

	file, steps, err := d.s.OathPlan(ctx, "")
	must(err)
	if len(steps) != 1 || steps[0].Act != oath.Upload || steps[0].Token.User != who.Object {
		t.Fatalf("%+v", steps)
	}
	raw, err := file.YAML()
	must(err)
	if strings.Contains(string(raw), e.Seed.Secret.Reveal()) {
		t.Error("the plan has the seed in it")
	}
	file, err = oath.ReadFile("plan.yaml", raw)
	must(err)
	done, err := d.s.OathApply(ctx, "", file)
	must(err)
	if len(done) != 1 || !done[0].Done {
		t.Fatalf("%+v", done)
	}
	if _, steps, err = d.s.OathPlan(ctx, ""); err != nil || len(steps) != 1 || steps[0].Act != oath.Kept {
		t.Errorf("afterwards: %+v %v", steps, err)
	}
}
