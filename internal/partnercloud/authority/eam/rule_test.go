package eam

import (
	"encoding/json"
	"testing"
	"time"
)

var begun = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

func expect() Expect {
	acr, amr := Requested()
	return Expect{Issuer: "https://mfa.example/t", Audience: "client", Subject: "sub", Nonce: "nonce", ACR: acr, AMR: amr, First: Knowledge, Begun: begun,
		Now: begun.Add(time.Minute)}
}

func answer(k string, v any) []byte {
	m := map[string]any{"iss": "https://mfa.example/t", "aud": "client", "sub": "sub", "nonce": "nonce", "iat": begun.Unix(), "exp": begun.Unix() + 300,
		"acr": "possessionorinherence", "amr": []string{"otp"}}
	if v == nil {
		delete(m, k)
	} else if k != "" {
		m[k] = v
	}
	b, _ := json.Marshal(m)
	return b
}

// TestCheck is the accept and reject table of contracts.md section 6.3.
func TestCheck(t *testing.T) {
	for _, c := range []struct {
		name   string
		key    string
		value  any
		accept bool
	}{
		{"as asked", "", 1, true},
		{"possession: fido", "amr", []string{"fido"}, true},
		{"inherence: face", "amr", []string{"face"}, true},
		{"audience as list of one", "aud", []string{"client"}, true},
		{"exp a fraction", "exp", float64(begun.Unix()) + 200.5, true},
		{"amr is one string", "amr", "otp", false},
		{"amr of two", "amr", []string{"otp", "sms"}, false},
		{"amr empty", "amr", []string{}, false},
		{"amr absent", "amr", nil, false},
		{"amr not requested", "amr", []string{"mfa"}, false},
		{"amr by another case", "amr", []string{"OTP"}, false},
		{"amr is knowledge", "amr", []string{"pwd"}, false},
		{"amr holds a number", "amr", []any{1}, false},
		{"acr not requested", "acr", "knowledgeorpossession", false},
		{"acr absent", "acr", nil, false},
		{"acr empty", "acr", "", false},
		{"issuer with a slash more", "iss", "https://mfa.example/t/", false},
		{"issuer by another case", "iss", "https://MFA.example/t", false},
		{"issuer absent", "iss", nil, false},
		{"audience of another", "aud", "other", false},
		{"audience of several", "aud", []string{"client", "other"}, false},
		{"audience absent", "aud", nil, false},
		{"subject of another", "sub", "other", false},
		{"subject absent", "sub", nil, false},
		{"nonce of another", "nonce", "other", false},
		{"nonce absent", "nonce", nil, false},
		{"expired", "exp", begun.Unix() - 300, false},
		{"exp absent", "exp", nil, false},
		{"exp as text", "exp", "never", false},
		{"issued ahead", "iat", begun.Unix() + 3600, false},
		{"iat absent", "iat", nil, false},
	} {
		if why := Check(answer(c.key, c.value), expect()); (why == "") != c.accept {
			t.Errorf("%s: %q", c.name, why)
		}
	}
	for _, bad := range []string{"", "null", "[]", "x", "{}"} {
		if Check([]byte(bad), expect()) == "" {
			t.Errorf("%q accepted", bad)
		}
	}
	x := expect()
	x.Now = begun.Add(Window - time.Second)
	if why := Check(answer("", 1), x); why != "" {
		t.Errorf("one second before: %s", why)
	}
	x.Now = begun.Add(Window)
	if Check(answer("exp", begun.Unix()+3600), x) == "" {
		t.Error("five minutes are over")
	}
	x = expect()
	x.First = Possession
	if Check(answer("", 1), x) == "" {
		t.Error("the same type as the first factor")
	}
	// An empty expectation matches nothing.
	if Check(answer("", 1), Expect{Begun: begun, Now: begun}) == "" {
		t.Error("nothing expected and accepted")
	}
}

func TestSatisfies(t *testing.T) {
	for acr, want := range map[string][3]bool{ // knowledge, possession, inherence
		"possessionorinherence": {false, true, true}, "knowledgeorpossession": {true, true, false}, "knowledgeorinherence": {true, false, true},
		"knowledgeorpossessionorinherence": {true, true, true}, "knowledge": {true, false, false}, "possession": {false, true, false},
		"inherence": {false, false, true}, "or": {}, "": {}, "anything": {},
	} {
		for i, typ := range []string{Knowledge, Possession, Inherence} {
			if satisfies(acr, typ) != want[i] {
				t.Errorf("%s %s", acr, typ)
			}
		}
	}
}

func TestParse(t *testing.T) {
	good := map[string]any{
		"issuer": "https://mfa.example/t", "authorization_endpoint": "https://mfa.example/auth", "jwks_uri": "https://mfa.example/keys",
		"scopes_supported":         []string{"openid"},
		"response_types_supported": []string{"id_token"}, "response_modes_supported": []string{"form_post"}, "subject_types_supported": []string{"public"},
		"id_token_signing_alg_values_supported": []string{"RS256"}, "grant_types_supported": []string{"implicit"}, "claim_types_supported": []string{"normal"},
	}
	try := func(k string, v any) error {
		m := map[string]any{}
		for n, x := range good {
			m[n] = x
		}
		m[k] = v
		b, _ := json.Marshal(m)
		_, err := parse(b, "https://mfa.example/t")
		return err
	}
	if err := try("x", 1); err != nil {
		t.Fatal(err)
	}
	for k, v := range map[string]any{"claim_types_supported": nil, "response_types_supported": []string{"code", "Id_token"}} {
		if err := try(k, v); err != nil {
			t.Errorf("%s = %v: %v", k, v, err)
		}
	}
	for k, v := range map[string]any{
		"issuer": "https://mfa.example/t/", "authorization_endpoint": "javascript:alert(1)", "jwks_uri": "https://mfa.example/keys?x",
		"scopes_supported": []string{}, "response_types_supported": []string{"code"},
		"response_modes_supported": nil, "subject_types_supported": nil, "id_token_signing_alg_values_supported": []string{"HS256"},
		"grant_types_supported": []string{}, "claim_types_supported": []string{"aggregated"},
	} {
		if try(k, v) == nil {
			t.Errorf("%s = %v taken", k, v)
		}
	}
	for u, ok := range map[string]bool{
		"https://a.example/x": true, "http://127.0.0.1:9/x": true, "http://localhost/x": true, "http://a.example/x": false, "https://a.example:443/x": false,
		"https://u@a.example/x": false,
		"https://a.example/x?y": false, "https://a.example/x#y": false, "file:///etc/passwd": false, "": false,
	} {
		if fetchable(u) != ok {
			t.Errorf("%s", u)
		}
	}
}

func FuzzCheck(f *testing.F) {
	f.Add(answer("", 1))
	f.Add([]byte(`{"amr":["otp"],"amr":"otp"}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		if Check(payload, expect()) != "" {
			return
		}
		var c struct {
			Iss, Sub, Nonce, Acr string
			Amr                  []string
		}
		if json.Unmarshal(payload, &c) != nil || c.Iss != "https://mfa.example/t" || c.Sub != "sub" || c.Nonce != "nonce" || len(c.Amr) != 1 ||
			TypeOf(c.Amr[0]) == "" {
			t.Errorf("accepted %s", payload)
		}
	})
}
