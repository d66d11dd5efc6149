package evidence

import "testing"

func TestAsk(t *testing.T) {
	for _, r := range Requests() {
		thing := "the policy Log: GET /everything in a form that is understood"
		ask := Ask(thing, r.String())
		if gotThing, gotRequest := SplitAsk(ask); gotThing != thing || gotRequest != r.String() {
			t.Errorf("%q comes apart as %q and %q", ask, gotThing, gotRequest)
		}
		if !IsRequest(r.String()) {
			t.Errorf("%q is not taken for a request", r.String())
		}
	}
	if thing, request := SplitAsk(Ask("the MFA trusted IPs", "")); thing != "the MFA trusted IPs" || request != "" {
		t.Errorf("without a request: %q and %q", thing, request)
	}
}

func TestBrief(t *testing.T) {
	for in, want := range map[string]string{
		RequestFor(User): "GET /users?$select=…, every page (User.Read.All)",
		"export " + RequestFor(User) + ", and " + RequestFor(SecurityDefaults): "export GET /users?$select=…, every page (User.Read.All), and " +
			RequestFor(SecurityDefaults),
		"GET /beta/users?$select=id,userPrincipalName": "GET /beta/users?$select=id,userPrincipalName",
		RequestFor(RoleAssignment):                     RequestFor(RoleAssignment),
	} {
		if got := Brief(in); got != want {
			t.Errorf("Brief(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestCutWords(t *testing.T) {
	for _, x := range []struct{ kind, why, thing, sentence string }{
		{string(User), "does not hold x", "all users (the list does not hold x)", "the list of users does not hold x"},
		{string(User), "row 3 has no name", "all users (the list is not whole: row 3 has no name)", "the list of users is not whole: row 3 has no name"},
		{string(SignIn), "ends in the middle", "the whole of the sign-in log (it ends in the middle)", "the sign-in log ends in the middle"},
	} {
		c := Cut{Kind: Kind(x.kind), Why: x.why}
		if got := c.Thing(); got != x.thing {
			t.Errorf("thing %q, want %q", got, x.thing)
		}
		if got := c.Sentence(0); got != x.sentence {
			t.Errorf("sentence %q, want %q", got, x.sentence)
		}
	}
}
