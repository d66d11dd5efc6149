package object_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/problem"
	"partnerguard/internal/remedy"
	"partnerguard/internal/remedy/object"
)

// TestKindsAgainstTheCloud changes, makes and takes away one object of each kind, finds it
// as it was wanted, and takes it back: then it is as it was.
func TestKindsAgainstTheCloud(t *testing.T) {
	k := newCloud(t)
	k.Edit(func(_ *world.State, t *world.Tenant) { t.SecurityDefaults = false })
	first := func(path string) string {
		var page struct{ Value []struct{ ID string } }
		k.ask("GET", path, nil, &page)
		if len(page.Value) == 0 {
			t.Fatalf("nothing at %s", path)
		}
		return page.Value[0].ID
	}
	principal := first("/v1.0/servicePrincipals?$top=1&$select=id")
	k.updates(t, remedy.Methods, "")
	k.updates(t, remedy.Method, "fido2")
	k.updates(t, remedy.PerUserMFA, k.user)
	k.updates(t, remedy.Principal, principal)
	k.updates(t, remedy.Authorization, "")
	k.creates(t)
	t.Run("trusted location", func(t *testing.T) {
		after, err := object.Canonical(remedy.Location, json.RawMessage(`{"@odata.type":"#microsoft.graph.ipNamedLocation","displayName":"Trusted",
			"isTrusted":true,"ipRanges":[{"cidrAddress":"198.51.100.0/24"}]}`))
		if err != nil {
			t.Fatal(err)
		}
		s := &remedy.Step{N: 1, Do: remedy.Create, Kind: remedy.Location, After: after}
		s.ID = k.do(s, nil)
		del := &remedy.Step{N: 2, Do: remedy.Delete, Kind: remedy.Location, ID: s.ID, Before: after}
		if _, err := object.ToRequest(del, nil); err == nil || !strings.Contains(err.Error(), "trusted") {
			t.Errorf("a trusted location is deleted: %v", err)
		}
		k.back(s) // by two requests
		if k.live(remedy.Location, s.ID) != nil {
			t.Error("it is still there")
		}
		if r, err := object.Back(del, nil); err != nil || !strings.HasSuffix(r.Path, "/namedLocations/"+s.ID+"/restore") {
			t.Errorf("%v %s", err, r.Path)
		}
	})
	t.Run("soft-deleted policy", func(t *testing.T) {
		after, _ := object.Canonical(remedy.Policy, policy(`,"grantControls":{"operator":"OR","builtInControls":["mfa"]}`))
		s := create(after)
		s.ID = k.do(s, nil)
		was, _ := object.Canonical(remedy.Policy, k.live(remedy.Policy, s.ID))
		del := &remedy.Step{N: 1, Do: remedy.Delete, Kind: remedy.Policy, ID: s.ID, Before: was}
		k.do(del, nil)
		k.back(del)
		if now := k.live(remedy.Policy, s.ID); !object.Equal(remedy.Policy, was, now) {
			t.Errorf("restored otherwise: %v", object.Diff(remedy.Policy, was, now, nil))
		}
	})
}

// changes are a wanted form of each kind, made of what is there.
var changes = map[remedy.Kind]func(map[string]any){
	remedy.Methods: func(m map[string]any) {
		m["registrationEnforcement"] = map[string]any{"authenticationMethodsRegistrationCampaign": map[string]any{"snoozeDurationInDays": 3, "state": "enabled",
			"includeTargets": []any{map[string]any{"id": "all_users", "targetType": "group", "targetedAuthenticationMethod": "microsoftAuthenticator"}}}}
	},
	remedy.Method: func(m map[string]any) {
		m["state"] = map[bool]string{true: "disabled", false: "enabled"}[m["state"] == "enabled"]
	},
	remedy.PerUserMFA:    func(m map[string]any) { m["perUserMfaState"] = "enforced" },
	remedy.Principal:     func(m map[string]any) { m["accountEnabled"] = m["accountEnabled"] != true },
	remedy.Authorization: func(m map[string]any) { m["allowInvitesFrom"] = "adminsAndGuestInviters" },
}

func (k *cloud) updates(t *testing.T, kind remedy.Kind, id string) {
	t.Run(string(kind), func(t *testing.T) {
		was, err := object.Canonical(kind, k.live(kind, id))
		if err != nil {
			t.Fatal(err)
		}
		if odd := object.Unknowns(kind, k.live(kind, id)); len(odd) > 0 {
			t.Errorf("not known: %v", odd)
		}
		var m map[string]any
		if err := json.Unmarshal(was, &m); err != nil {
			t.Fatal(err)
		}
		changes[kind](m)
		want, err := object.Canonical(kind, mustJSON(m))
		if err != nil {
			t.Fatal(err)
		}
		s := &remedy.Step{N: 1, Do: remedy.Update, Kind: kind, ID: id, Before: was, After: want}
		if object.Complete(s); len(s.Permissions) == 0 || s.Role == "" || s.Undo != remedy.Restores {
			t.Errorf("what it needs is not said: %+v", s)
		}
		if len(object.Diff(kind, was, want, nil)) == 0 {
			t.Fatal("nothing changes")
		}
		k.do(s, nil)
		if now := k.live(kind, id); !object.Equal(kind, want, now) {
			t.Errorf("a second plan is not empty: %v", object.Diff(kind, want, now, nil))
		}
		k.back(s)
		if now := k.live(kind, id); !object.Equal(kind, was, now) {
			t.Errorf("taken back otherwise: %v", object.Diff(kind, was, now, nil))
		}
	})
}

// creates makes one of each kind that a plan makes, and takes it back.
func (k *cloud) creates(t *testing.T) {
	ids := map[string]string{}
	var steps []*remedy.Step
	for _, x := range []struct {
		kind     remedy.Kind
		key, raw string
	}{
		{remedy.Group, "pilot", `{"displayName":"Partnerguard stage x pilot","mailNickname":"pg-x","securityEnabled":true}`},
		{remedy.Member, "", `{"group":"{pilot}","member":"` + k.user + `"}`},
		{remedy.Strength, "", `{"displayName":"Keys","allowedCombinations":["fido2","windowsHelloForBusiness"]}`},
		{remedy.Method, "", `{"@odata.type":"#microsoft.graph.externalAuthenticationMethodConfiguration","displayName":"Ours","state":"disabled",
			"appId":"` + account + `","openIdConnectSetting":{"clientId":"c","discoveryUrl":"https://mfa.example/.well-known/openid-configuration"},
			"includeTargets":[{"id":"all_users","targetType":"group"}]}`},
	} {
		t.Run("make "+string(x.kind), func(t *testing.T) {
			o, err := object.Canonical(x.kind, json.RawMessage(x.raw))
			if err != nil {
				t.Fatal(err)
			}
			s := &remedy.Step{N: 1, Do: remedy.Create, Kind: x.kind, Key: x.key, After: o}
			r, err := object.ToRequest(s, ids)
			if err != nil {
				t.Fatal(err)
			}
			status, answer := k.try(r)
			if status >= 300 && x.kind == remedy.Method { // the app has to be there; that it is understood is what is asked
				if !strings.Contains(string(answer), account) {
					t.Errorf("%d %s\n%s", status, answer, r.Body)
				}
				return
			}
			if status >= 300 {
				t.Fatalf("%d %s\n%s", status, answer, r.Body)
			}
			id, err := object.Made(s, ids, answer)
			if err != nil {
				t.Fatal(err)
			}
			if x.key != "" {
				ids[x.key] = id
			}
			s, err = object.Resolved(s, ids)
			if err != nil {
				t.Fatal(err)
			}
			s.ID = id
			if now := k.live(x.kind, id); !object.Equal(x.kind, s.After, now) {
				t.Errorf("a second plan is not empty: %v\n%s", object.Diff(x.kind, s.After, now, nil), now)
			}
			steps = append(steps, s)
		})
	}
	for i := len(steps) - 1; i >= 0; i-- {
		k.back(steps[i])
		if k.live(steps[i].Kind, steps[i].ID) != nil {
			t.Errorf("the %s is still there", steps[i].Kind)
		}
	}
}

const account = "22222222-2222-2222-2222-222222222222"

// TestNeverComesBack: a credential is removed by its id, and is told to be gone for good.
func TestNeverComesBack(t *testing.T) {
	t.Parallel()
	s := &remedy.Step{N: 1, Do: remedy.Delete, Kind: remedy.Credential, ID: "applications/" + aPolicy + "/" + account,
		Before: remedy.Object(`{"keyId":"` + account + `","type":"password"}`)}
	object.Complete(s)
	r, err := object.ToRequest(s, nil)
	if err != nil || r.Path != "/v1.0/applications/"+aPolicy+"/removePassword" || string(r.Body) != `{"keyId":"`+account+`"}` || s.Undo != remedy.Irreversible {
		t.Errorf("%v %+v %s", err, r, s.Undo)
	}
	if r, err := object.Back(s, nil); !errors.Is(err, problem.Conflict) || !r.None() {
		t.Errorf("%v %v", err, r)
	}
	s.Before = remedy.Object(`{"keyId":"` + account + `","type":"key"}`)
	if _, err := object.ToRequest(s, nil); err == nil {
		t.Error("a certificate is removed, though its proof cannot be given")
	}
	answer := json.RawMessage(`{"passwordCredentials":[{"keyId":"` + strings.ToUpper(account) + `","hint":"abc"}],"keyCredentials":[]}`)
	got, err := object.Pick(remedy.Credential, s.ID, answer)
	if err != nil || !object.Equal(remedy.Credential, got, json.RawMessage(`{"keyId":"`+account+`","type":"password"}`)) {
		t.Errorf("%v %s", err, got)
	}
}
