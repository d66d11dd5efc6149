package oath

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"net/url"
	"strings"

	"partnerguard/internal/audit"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
)

// Graph is Microsoft Graph as this room uses it. A POST is sent once: after a lost
// answer [Read] and [Plan] say what became of it.
type Graph interface {
	Items(ctx context.Context, path string) iter.Seq2[json.RawMessage, error]
	Change(ctx context.Context, method, path string, body any) (json.RawMessage, error)
}

// Seeds are the sealed seeds by serial number.
type Seeds interface {
	// Seed is the seed in base32 without padding.
	Seed(ctx context.Context, serial string) (secret.Text, error)
	// Code is its code of this moment, each given once.
	Code(ctx context.Context, serial string) (secret.Text, error)
}

// Deps are what a plan is carried out with. All are required.
type Deps struct {
	Graph  Graph
	Seeds  Seeds
	Record audit.Recorder
	Actor  string // as an audit event names it
	Tenant string // tenant id
}

// devices is the collection of tokens.
const devices = "/beta/directory/authenticationMethodDevices/hardwareOathDevices"

// maxDevices bounds what is read of a tenant.
const maxDevices = 100_000

// Read lists the tokens that Entra ID has.
func Read(ctx context.Context, g Graph) ([]Device, error) {
	out := []Device{}
	for raw, err := range g.Items(ctx, devices) {
		if err != nil {
			return nil, err
		}
		var d Device
		if json.Unmarshal(raw, &d) != nil || d.ID == "" {
			return nil, problem.New(problem.Unavailable, "Graph lists a hardware token that cannot be read").WithHint("try again; the interface is beta")
		}
		if out = append(out, d); len(out) > maxDevices {
			return nil, problem.New(problem.Limit, "Graph lists more than %d hardware tokens", maxDevices)
		}
	}
	return out, nil
}

// Result is what became of a step.
type Result struct {
	Step
	Done  bool   `json:"done"`
	Error string `json:"error"` // "" where it was done, or nothing was to do
}

// Apply carries a plan out, token by token: what fails is said, and the others go
// on. A token that was uploaded and not activated is activated by the next plan. The
// error is the trail's, or the context's: then nothing more is done.
func (d *Deps) Apply(ctx context.Context, plan []Step) ([]Result, error) {
	out := make([]Result, 0, len(plan))
	for _, s := range plan {
		r := Result{Step: s, Done: s.Act == Kept}
		if s.Act != Kept && s.Act != Refused {
			// The trail knows before the seed leaves.
			err := d.tell(ctx, &s, audit.Done, "")
			if err != nil {
				return out, err
			}
			if err = d.carry(ctx, &r.Step); err != nil {
				if ctx.Err() != nil {
					return out, ctx.Err()
				}
				r.Error = err.Error()
				if err := d.tell(ctx, &s, audit.Failed, r.Error); err != nil {
					return append(out, r), err
				}
			}
			r.Done = r.Error == ""
		}
		out = append(out, r)
	}
	return out, nil
}

func (d *Deps) tell(ctx context.Context, s *Step, o audit.Outcome, why string) error {
	return d.Record.Record(ctx, audit.Event{Action: audit.MFATokenUploaded, Outcome: o, Actor: d.Actor, Object: s.Token.User, Tenant: d.Tenant, Reason: why,
		Details: map[string]string{"serial": s.Token.Serial, "act": string(s.Act)}})
}

// carry does one step to its end.
func (d *Deps) carry(ctx context.Context, s *Step) error {
	own := "/beta/users/" + url.PathEscape(s.Token.User) + "/authentication/hardwareOathMethods"
	if s.Act == Upload {
		id, err := d.upload(ctx, &s.Token)
		if err != nil {
			return err
		}
		s.Device = id
	}
	if s.Act == Assign {
		body := map[string]any{"device": map[string]string{"id": s.Device}}
		if _, err := d.Graph.Change(ctx, http.MethodPost, own, body); err != nil {
			return err
		}
	}
	code, err := d.Seeds.Code(ctx, s.Token.Serial)
	if err != nil {
		return err
	}
	body := map[string]string{"verificationCode": code.Reveal(), "displayName": s.Token.Name}
	_, err = d.Graph.Change(ctx, http.MethodPost, own+"/"+url.PathEscape(s.Device)+"/activate", body)
	return clean(err, code)
}

// upload sends the seed, with its owner, and gives the token's id.
func (d *Deps) upload(ctx context.Context, t *Token) (string, error) {
	seed, err := d.Seeds.Seed(ctx, t.Serial)
	if err != nil {
		return "", err
	}
	body := map[string]any{"serialNumber": t.Serial, "manufacturer": Maker, "model": "TOTP", "secretKey": seed.Reveal(),
		"timeIntervalInSeconds": t.Interval, "hashFunction": hashes[t.Hash], "assignTo": map[string]string{"id": t.User}}
	raw, err := d.Graph.Change(ctx, http.MethodPost, devices, body)
	if err != nil {
		return "", clean(err, seed)
	}
	var made Device
	if json.Unmarshal(raw, &made) != nil || made.ID == "" {
		return "", problem.New(problem.Unavailable, "Graph took the token %s and did not say its id", t.Serial).WithHint("plan again: it is there now")
	}
	return made.ID, nil
}

// clean keeps a secret out of an error, should an answer ever repeat it.
func clean(err error, s secret.Text) error {
	if err == nil || s.IsZero() || !strings.Contains(err.Error(), s.Reveal()) {
		return err
	}
	return problem.New(problem.Unavailable, "Graph refused the token, in words that repeat a secret and are not shown").WithHint("try again")
}
