package register

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/problem"
)

// The delegated permissions openid and profile of Microsoft Graph: all that the app
// asks for (contracts.md section 6.4).
const (
	openid  = "37f7f235-527c-4136-accd-4a02d197296e"
	profile = "14dad69e-099b-42c9-810b-d002981feec1"
)

// Hooks are told what happens.
type Hooks struct {
	// Keep writes down what was found or made so far, in the tenant's own row: it is
	// called before the method is enabled, so that whoever is sent here is served.
	Keep func(context.Context, Found) error
	// Done is told each step that changed something, after it did: for the trail. Its
	// error ends the work.
	Done func(context.Context, Step) error
	// Wait waits until Entra ID knows what was made a moment ago; nil is time.
	Wait func(context.Context, time.Duration) error
}

// Entra ID needs a moment until it knows a new app everywhere.
const (
	settleTries = 6
	settleWait  = 3 * time.Second
)

// work is a plan being applied.
type work struct {
	g Graph
	p *Plan
	f *Found
	h Hooks
}

// Apply does what a plan lacks, step by step, and gives what stands there afterwards and
// each step as it ended. It may be run again at any time: what is there is kept. Where a
// step fails the error says which, and the steps after it are left as they were.
func Apply(ctx context.Context, g Graph, p Plan, authority string, h Hooks) (Found, []Step, error) {
	f, steps, err := Look(ctx, g, p, authority)
	if err != nil {
		return f, steps, err
	}
	if h.Wait == nil {
		h.Wait = func(ctx context.Context, d time.Duration) error {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(d):
				return nil
			}
		}
	}
	w := work{g, &p, &f, h}
	kept := false
	for i := range steps {
		s := &steps[i]
		if !kept && (s.What == "state" || s.What == "user") {
			if kept = true; f.AppID != "" {
				if err := h.Keep(ctx, f); err != nil {
					return f, steps, half(steps, i, err)
				}
			}
		}
		if s.Act == Keep || s.Act == ByHand || s.Act == Wait {
			continue
		}
		if err := w.step(ctx, s); err != nil {
			return f, steps, half(steps, i, err)
		}
		if err := h.Done(ctx, *s); err != nil {
			return f, steps, half(steps, i+1, err)
		}
	}
	return Look(ctx, g, p, authority)
}

// half says how far it came.
func half(steps []Step, n int, err error) error {
	kind := problem.Unavailable
	if e, ok := errors.AsType[*problem.Error](err); ok {
		kind = e.Kind
	}
	var done, left []string
	for i, s := range steps {
		switch {
		case s.Act != Create && s.Act != Change:
		case i < n:
			done = append(done, s.What+" "+s.Name)
		default:
			left = append(left, s.What+" "+s.Name)
		}
	}
	say := "nothing was changed"
	if len(done) > 0 {
		say = "done before it: " + strings.Join(done, ", ")
	}
	hint := problem.HintOf(err)
	if hint != "" {
		hint += "; "
	}
	return problem.Wrap(err, kind, "the plan was not applied to its end: %s; %s; not done: %s", err.Error(), say, strings.Join(left, ", ")).
		WithHint("%srun the same plan once more: what is done is kept", hint)
}

func (w *work) step(ctx context.Context, s *Step) error {
	switch s.What {
	case "app":
		return w.app(ctx, s)
	case "consent":
		return w.settled(ctx, func() error {
			var sp struct {
				ID string `json:"id"`
			}
			err := w.change(ctx, http.MethodPost, v1+"/servicePrincipals", map[string]any{"appId": w.f.AppID}, &sp)
			w.f.Principal = sp.ID
			return err
		})
	case "method":
		return w.method(ctx, s)
	case "state":
		return w.settled(ctx, func() error {
			return w.change(ctx, http.MethodPatch, methodsPath+"/"+w.f.Configuration, map[string]any{"@odata.type": kindOf, "state": s.Changes[0].Will}, nil)
		})
	}
	return w.change(ctx, http.MethodPost, v1+"/users/"+url.PathEscape(s.Name)+"/authentication/externalAuthenticationMethods",
		map[string]any{"@odata.type": "#microsoft.graph.externalAuthenticationMethod", "configurationId": w.f.Configuration,
			"displayName": w.p.Method.Name}, nil)
}

// change writes, and reads the answer.
func (w *work) change(ctx context.Context, method, path string, body, into any) error {
	raw, err := w.g.Change(ctx, method, path, body)
	if err != nil || into == nil {
		return err
	}
	if json.Unmarshal(raw, into) != nil {
		return problem.New(problem.Unavailable, "an answer of Microsoft Graph cannot be read").WithHint("run it again: what was made is found")
	}
	return nil
}

// settled does something that Entra ID refuses as long as it does not know everywhere
// what was made a moment ago.
func (w *work) settled(ctx context.Context, do func() error) (err error) {
	for i := range settleTries {
		if err = do(); err == nil || !errors.Is(err, problem.NotFound) && !errors.Is(err, problem.BadInput) {
			return err
		}
		if i < settleTries-1 {
			if err := w.h.Wait(ctx, settleWait); err != nil {
				return err
			}
		}
	}
	return err
}

func (w *work) app(ctx context.Context, s *Step) error {
	if s.Act == Create {
		access := []map[string]string{{"id": openid, "type": "Scope"}, {"id": profile, "type": "Scope"}}
		err := w.change(ctx, http.MethodPost, v1+"/applications", map[string]any{
			"displayName": w.p.App.Name, "signInAudience": w.p.audience(), "web": map[string]any{"redirectUris": []string{w.p.App.Redirect}},
			"requiredResourceAccess": []any{map[string]any{"resourceAppId": entra.AppGraph, "resourceAccess": access}},
		}, &w.f.app)
		w.f.AppID = strings.ToLower(w.f.app.AppID)
		return err
	}
	body := map[string]any{}
	for _, c := range s.Changes {
		if c.Member == "signInAudience" {
			body["signInAudience"] = c.Will
		} else {
			body["web"] = map[string]any{"redirectUris": append(slices.Clone(w.f.app.Web.Redirects), w.p.App.Redirect)}
		}
	}
	return w.change(ctx, http.MethodPatch, v1+"/applications/"+w.f.app.ID, body, nil)
}

func targets(list []string) []map[string]any {
	out := []map[string]any{}
	for _, id := range list {
		out = append(out, map[string]any{"id": id, "targetType": "group"})
	}
	return out
}

func (w *work) method(ctx context.Context, s *Step) error {
	m := &w.p.Method
	body := map[string]any{"@odata.type": kindOf, "appId": w.f.AppID, "includeTargets": targets(m.Groups), "excludeTargets": targets(m.Without),
		"openIdConnectSetting": map[string]any{"clientId": m.ClientID, "discoveryUrl": m.Discovery}}
	if s.Act == Change {
		return w.change(ctx, http.MethodPatch, methodsPath+"/"+w.f.Configuration, body, nil)
	}
	body["displayName"], body["state"] = m.Name, "disabled" // it is enabled by the step after this one
	return w.settled(ctx, func() error {
		err := w.change(ctx, http.MethodPost, methodsPath, body, &w.f.method)
		w.f.Configuration, w.f.State = w.f.method.ID, w.f.method.State
		return err
	})
}
