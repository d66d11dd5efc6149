package graph

import (
	"strings"
	"testing"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

// configure puts a method's configuration.
func (l *lab) configure(id, raw string) {
	l.w.Read(func(s *world.State) {
		p := s.PartnerTenant()
		p.MethodConfigs.Put(&world.Document{ID: id, Raw: []byte(raw)})
		s.Touch(p)
	})
}

const everyone = `"includeTargets":[{"id":"all_users","targetType":"group"}]`

func TestTemporaryAccessPass(t *testing.T) {
	l := newLab(t)
	tok := l.admin()
	path := "/v1.0/users/" + rhea + "/authentication/temporaryAccessPassMethods"
	l.do("POST", path, tok, `{}`).refused(400, "Request_BadRequest") // not enabled by policy
	l.configure("TemporaryAccessPass", `{"id":"TemporaryAccessPass","state":"enabled","minimumLifetimeInMinutes":30,"maximumLifetimeInMinutes":120,
		"defaultLifetimeInMinutes":45,"defaultLength":10,"isUsableOnce":false,`+everyone+`}`)
	for name, body := range map[string]string{
		"too short": `{"lifetimeInMinutes":29}`, "too long": `{"lifetimeInMinutes":121}`, "in the past": `{"startDateTime":"2026-11-21T09:00:00Z"}`,
		"an own pass": `{"temporaryAccessPass":"mine"}`, "unknown": `{"length":8}`,
	} {
		if a := l.do("POST", path, tok, body); a.code != 400 {
			t.Errorf("%s: %d %.200s", name, a.code, a.raw)
		}
	}
	l.do("POST", "/v1.0/users/"+guest+"/authentication/temporaryAccessPassMethods", tok, `{}`).want(400)
	l.do("POST", path, l.token(partnerID, ursa, everything()), `{}`).want(403)
	a := l.do("POST", path, tok, `{"isUsableOnce":true,"startDateTime":"2026-11-22T10:00:00Z"}`).want(201)
	secret, id := str(a.body, "temporaryAccessPass"), str(a.body, "id")
	if len(secret) != 10 || a.body["isUsable"] != false || str(a.body, "methodUsabilityReason") != "NotYetValid" || a.body["lifetimeInMinutes"] != 45.0 {
		t.Errorf("%s", a.raw)
	}
	l.w.Read(func(s *world.State) {
		m := s.PartnerTenant().Users.Get(rhea).Method(world.MethodPass)
		if m == nil || !m.Pass.Is(m.ID, secret) || m.Pass.Is(m.ID, "other") {
			t.Error("the authority would not know the pass")
		}
	})
	l.do("POST", path, tok, `{}`).want(400) // one at a time
	_, _ = l.clock.Jump(65 * time.Minute)
	got := l.get(path+"/"+id, l.admin()).want(200)
	if got.body["isUsable"] != true || str(got.body, "methodUsabilityReason") != "EnabledByPolicy" || got.body["temporaryAccessPass"] != nil {
		t.Errorf("%s", got.raw)
	}
	if raw := string(l.get("/v1.0/auditLogs/directoryAudits", l.admin()).raw) + string(got.raw); strings.Contains(raw, secret) {
		t.Error("the pass is shown twice")
	}
	_, _ = l.clock.Jump(time.Hour)
	if got := l.get(path+"/"+id, l.admin()).body; str(got, "methodUsabilityReason") != "Expired" {
		t.Errorf("%v", got)
	}
	l.do("POST", path, l.admin(), `{}`).want(201) // what is over makes room
	if rows := l.get(path, l.admin()).rows(); len(rows) != 1 {
		t.Errorf("%v", rows)
	}
	l.do("DELETE", path+"/"+str(l.get(path, l.admin()).rows()[0], "id"), l.admin(), "").want(204)
}

func TestPhonesAndAddresses(t *testing.T) {
	l := newLab(t)
	tok := l.admin()
	base := "/v1.0/users/" + rhea + "/authentication/"
	phone := func(number, typ string) string { return `{"phoneNumber":"` + number + `","phoneType":"` + typ + `"}` }
	for _, bad := range []string{phone("5551234", "mobile"), phone("+49 5551234567", "home"), phone("+49 5551234567x12", "mobile"), `{"phoneNumber":"+49 5551234567"}`,
		phone("+49 5551234567", "alternateMobile"), `{"phoneType":"mobile"}`} {
		l.do("POST", base+"phoneMethods", tok, bad).want(400)
	}
	a := l.do("POST", base+"phoneMethods", tok, phone("+49 5551234567", "mobile")).want(201)
	if str(a.body, "id") != entra.MobilePhoneMethod || str(a.body, "smsSignInState") != "notAllowedByPolicy" {
		t.Errorf("%s", a.raw)
	}
	l.do("POST", base+"phoneMethods", tok, phone("+49 5551234568", "mobile")).want(400)
	l.do("POST", base+"phoneMethods", tok, phone("+49 5551234569", "alternateMobile")).want(201)
	l.do("POST", base+"phoneMethods", tok, phone("+49 5551234570x12", "office")).want(201)
	mobile := base + "phoneMethods/" + entra.MobilePhoneMethod
	l.do("DELETE", mobile, tok, "").want(400) // while there is an alternate one
	for _, method := range []string{"PATCH", "PUT"} {
		got := l.do(method, mobile, tok, `{"id":"`+entra.MobilePhoneMethod+`","phoneNumber":"+49 5559999999","phoneType":"mobile"}`).want(200)
		if str(got.body, "phoneNumber") != "+49 5559999999" {
			t.Errorf("%s", got.raw)
		}
	}
	l.do("PATCH", mobile, tok, phone("+49 5559999999", "office")).want(400)

	l.do("POST", mobile+"/enableSmsSignIn", tok, "").want(400)
	l.configure("Sms", `{"id":"Sms","state":"enabled",`+everyone+`}`)
	l.do("POST", mobile+"/enableSmsSignIn", tok, "").want(204)
	if got := l.get(mobile, tok).body; str(got, "smsSignInState") != "ready" {
		t.Errorf("%v", got)
	}
	other := "/v1.0/users/" + plain + "/authentication/phoneMethods"
	l.do("POST", other, tok, phone("+49 5559999999", "mobile")).want(201)
	l.do("POST", other+"/"+entra.MobilePhoneMethod+"/enableSmsSignIn", tok, "").want(400) // the number is taken
	l.do("POST", base+"phoneMethods/"+entra.OfficePhoneMethod+"/enableSmsSignIn", tok, "").want(400)
	l.do("POST", mobile+"/disableSmsSignIn", tok, "").want(204)
	if got := l.get(mobile, tok).body; str(got, "smsSignInState") != "notConfigured" {
		t.Errorf("%v", got)
	}

	for _, bad := range []string{`{}`, `{"emailAddress":"nobody"}`, `{"emailAddress":"A <a@b.example>"}`, `{"emailAddress":"a@b.example","kind":1}`} {
		l.do("POST", base+"emailMethods", tok, bad).want(400)
	}
	e := l.do("POST", base+"emailMethods", tok, `{"emailAddress":"rhea@home.example"}`).want(201)
	if str(e.body, "id") != entra.EmailMethod {
		t.Errorf("%s", e.raw)
	}
	l.do("POST", base+"emailMethods", tok, `{"emailAddress":"rhea@other.example"}`).want(400)
	l.do("PATCH", base+"emailMethods/"+entra.EmailMethod, tok, `{"emailAddress":"rhea@other.example"}`).want(200)
	if got := l.get(base+"emailMethods", tok).rows(); len(got) != 1 || str(got[0], "emailAddress") != "rhea@other.example" {
		t.Errorf("%v", got)
	}
	registered := l.get("/v1.0/reports/authenticationMethods/userRegistrationDetails/"+rhea, tok).body
	if got := strings.Join(strs(registered, "methodsRegistered"), " "); got != "softwareOneTimePasscode mobilePhone alternateMobilePhone officePhone email" {
		t.Errorf("registered: %s", got)
	}
	s := readSchema(t, "v1.0")
	for i, row := range l.get(base+"methods", tok).rows() {
		s.check("methods["+string(rune('0'+i))+"]", "microsoft.graph.authenticationMethod", row, t.Errorf)
	}
}

func TestResetOfAPassword(t *testing.T) {
	l := newLab(t)
	tok := l.admin()
	base := "/v1.0/users/" + plain + "/authentication/"
	path := base + "methods/" + entra.PasswordMethod + "/resetPassword"
	l.do("POST", path, l.token(partnerID, rhea, everything()), `{}`).want(403)
	l.do("POST", "/v1.0/users/"+ada+"/authentication/methods/"+entra.PasswordMethod+"/resetPassword", l.token(partnerID, ursa, everything()), `{}`).want(403)
	l.do("POST", path, tok, `{"newPassword":"short"}`).want(400)
	l.do("POST", base+"methods/"+plain+"/resetPassword", tok, `{}`).want(404)
	a := l.do("POST", path, tok, `{"newPassword":"Correct-Horse-1"}`).want(202)
	if len(a.raw) != 0 {
		t.Errorf("an own password comes back: %s", a.raw)
	}
	check := func(plainText string) (ok bool) {
		l.w.Read(func(s *world.State) {
			ok = world.CheckPassword(s.PartnerTenant().Users.Get(plain).Password, "", plainText)
		})
		return ok
	}
	if !check("Correct-Horse-1") {
		t.Error("the password is another")
	}
	b := l.do("POST", path, tok, "").want(202)
	if made := str(b.body, "newPassword"); made == "" || !check(made) {
		t.Errorf("%s", b.raw)
	}
	operation := strings.TrimPrefix(b.header.Get("Location"), "http://graph.test")
	if got := l.get(operation, tok).want(200).body; str(got, "status") != "succeeded" {
		t.Errorf("%v", got)
	}
	l.get(strings.Replace(operation, plain, rhea, 1), tok).want(404)
}
