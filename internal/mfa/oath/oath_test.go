package oath

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"partnerguard/internal/audit"
	"partnerguard/internal/audit/audittest"
	"partnerguard/internal/labtest"
	"partnerguard/internal/partnercloud/control"
	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
)

const seed = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ" // that of RFC 6238, appendix B

func device(serial, maker, status, to string) Device {
	d := Device{ID: "id-" + serial, Serial: serial, Manufacturer: maker, Status: status}
	if to != "" {
		d.To = &struct {
			ID string `json:"id"`
		}{to}
	}
	return d
}

func TestPlan(t *testing.T) {
	t.Parallel()
	good := Token{Serial: "A-1", User: "u1", Interval: 30, Hash: "SHA1", Digits: 6}
	with := func(f func(*Token)) Token { x := good; f(&x); return x }
	for name, c := range map[string]struct {
		t     Token
		there []Device
		act   Act
		why   string
	}{
		"new":              {good, nil, Upload, "not there yet"},
		"60 and SHA256":    {with(func(x *Token) { x.Interval, x.Hash = 60, "SHA256" }), nil, Upload, "not there yet"},
		"8 digits":         {with(func(x *Token) { x.Digits = 8 }), nil, Refused, "6 digits"},
		"SHA512":           {with(func(x *Token) { x.Hash = "SHA512" }), nil, Refused, "SHA512"},
		"45 seconds":       {with(func(x *Token) { x.Interval = 45 }), nil, Refused, "30 or 60"},
		"nobody's":         {with(func(x *Token) { x.User = "" }), nil, Refused, "nobody's"},
		"a path":           {with(func(x *Token) { x.Serial = "../a" }), nil, Refused, "serial number"},
		"activated":        {good, []Device{device("a-1", Maker, "activated", "U1")}, Kept, "activated"},
		"assigned":         {good, []Device{device("A-1", Maker, "assigned", "u1")}, Activate, "not activated"},
		"available":        {good, []Device{device("A-1", Maker, "available", "")}, Assign, "nobody's"},
		"somebody else's":  {good, []Device{device("A-1", Maker, "activated", "u2")}, Refused, "somebody else's"},
		"another's serial": {good, []Device{device("A-1", "Contoso", "available", "")}, Refused, "Contoso"},
	} {
		plan, err := Plan("public", []Token{c.t}, c.there)
		if err != nil || plan[0].Act != c.act || !strings.Contains(plan[0].Why, c.why) {
			t.Errorf("%s: %+v %v", name, plan, err)
		}
	}
	if plan, _ := Plan("public", []Token{good, good}, nil); plan[1].Act != Refused {
		t.Errorf("twice: %+v", plan)
	}
	if _, err := Plan("china", []Token{good}, nil); !errors.Is(err, problem.Usage) {
		t.Errorf("%v", err)
	}
}

// cloud is the partner cloud's Graph, asked as the one who runs it.
type cloud struct {
	lab  *labtest.Lab
	sent []string
}

func (c *cloud) Change(ctx context.Context, method, path string, body any) (json.RawMessage, error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	c.sent = append(c.sent, string(raw))
	a, err := control.Dial(c.lab.Info.Control, c.lab.Info.ControlSecret).Graph(ctx, control.GraphCall{Method: method, Path: path, Body: raw})
	if err == nil && a.Status >= 300 {
		err = fmt.Errorf("%d %s", a.Status, a.Body)
	}
	return json.RawMessage(a.Body), err
}

func (c *cloud) Items(ctx context.Context, path string) iter.Seq2[json.RawMessage, error] {
	return func(yield func(json.RawMessage, error) bool) {
		a, err := control.Dial(c.lab.Info.Control, c.lab.Info.ControlSecret).Graph(ctx, control.GraphCall{Method: "GET", Path: path})
		var page struct{ Value []json.RawMessage }
		if err == nil {
			err = json.Unmarshal([]byte(a.Body), &page)
		}
		if err != nil {
			yield(nil, err)
			return
		}
		for _, v := range page.Value {
			if !yield(v, nil) {
				return
			}
		}
	}
}

// vault has one seed.
type vault struct{ lab *labtest.Lab }

func (v vault) Seed(context.Context, string) (secret.Text, error) { return secret.New(seed), nil }

func (v vault) Code(context.Context, string) (secret.Text, error) {
	code, err := totp.GenerateCodeCustom(seed, v.lab.Now(), totp.ValidateOpts{Period: 30, Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA256})
	return secret.New(code), err
}

// TestApply: our seed becomes a method of its owner at the partner cloud; the second
// plan has nothing to do; nothing that is kept or said holds the seed.
func TestApply(t *testing.T) {
	t.Parallel()
	lab := labtest.Start(t)
	var user string
	lab.Server.World.Read(func(s *world.State) { user = s.PartnerTenant().UserByName(labtest.NoMFA).ID })
	trail := &audittest.Recorder{}
	g := &cloud{lab: lab}
	d := &Deps{Graph: g, Seeds: vault{lab}, Record: trail, Actor: "local:ada", Tenant: lab.Info.Tenant.ID}
	tokens := []Token{{Serial: "DESK-1", User: user, Name: "Desk", Interval: 30, Hash: "SHA256", Digits: 6}}
	plan := func() []Step {
		there, err := Read(t.Context(), g)
		if err != nil {
			t.Fatal(err)
		}
		p, err := Plan("public", tokens, there)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	got, err := d.Apply(t.Context(), plan())
	if err != nil || len(got) != 1 || !got[0].Done || got[0].Act != Upload {
		t.Fatalf("%+v %v", got, err)
	}
	lab.Server.World.Read(func(s *world.State) {
		m := s.PartnerTenant().Users.Get(user).Method(world.MethodHardware)
		if m == nil || m.Secret != seed || m.Hash != "hmacsha256" {
			t.Errorf("%+v", m)
		}
	})
	if p := plan(); p[0].Act != Kept {
		t.Errorf("%+v", p)
	}
	said, _ := json.Marshal([]any{got, trail.Events(), plan()})
	if strings.Contains(string(said), seed) || len(trail.Events()) != 1 || trail.Events()[0].Action != audit.MFATokenUploaded {
		t.Errorf("%s", said)
	}
}

// refusing repeats what it is sent, as no answer should.
type refusing struct{ *cloud }

func (refusing) Change(_ context.Context, _, _ string, body any) (json.RawMessage, error) {
	return nil, fmt.Errorf("400: %v", body)
}

// TestRefusal: what fails is said without the seed, and the trail knows; where the
// trail cannot be written no seed leaves.
func TestRefusal(t *testing.T) {
	t.Parallel()
	lab := labtest.Start(t)
	trail := &audittest.Recorder{}
	d := &Deps{Graph: refusing{&cloud{lab: lab}}, Seeds: vault{lab}, Record: trail, Actor: "local:ada", Tenant: "t"}
	plan := []Step{{Token: Token{Serial: "A", User: "u", Interval: 30, Hash: "SHA1", Digits: 6}, Act: Upload}}
	got, err := d.Apply(t.Context(), plan)
	if err != nil || got[0].Done || got[0].Error == "" || strings.Contains(got[0].Error, seed) {
		t.Errorf("%+v %v", got, err)
	}
	if e := trail.Events(); len(e) != 2 || e[1].Outcome != audit.Failed || strings.Contains(e[1].Reason, seed) {
		t.Errorf("%+v", e)
	}
	g := &cloud{lab: lab}
	d.Graph = g
	trail.Fail(errors.New("no trail"))
	if _, err := d.Apply(t.Context(), plan); err == nil || len(g.sent) > 0 {
		t.Errorf("a seed left without the trail: %v", err)
	}
}
