package graph

import (
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"partnerguard/internal/partnercloud/world"
)

const (
	oathSeed = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ" // that of RFC 6238, appendix B
	oathBody = `"manufacturer":"Partnerguard","model":"desk","secretKey":"` + oathSeed + `","timeIntervalInSeconds":30`
)

func (l *lab) oathCode(algorithm otp.Algorithm, period uint) string {
	l.t.Helper()
	code, err := totp.GenerateCodeCustom(oathSeed, l.clock.Now(), totp.ValidateOpts{Period: period, Digits: otp.DigitsSix, Algorithm: algorithm})
	if err != nil {
		l.t.Fatal(err)
	}
	return code
}

// TestHardwareOath: a token is uploaded, assigned, activated by a code, deactivated,
// unassigned and deleted; its seed never comes out.
func TestHardwareOath(t *testing.T) {
	l := newLab(t)
	tok, base := l.admin(), "/beta/"+oathPath
	for name, body := range map[string]string{
		"no serial": `{` + oathBody + `}`, "a short seed": `{"serialNumber":"1",` + strings.Replace(oathBody, oathSeed, "GEZDGNBV", 1) + `}`,
		"no base32": `{"serialNumber":"1",` + strings.Replace(oathBody, oathSeed, strings.Repeat("1", 32), 1) + `}`,
		"a period":  `{"serialNumber":"1",` + strings.Replace(oathBody, ":30", ":45", 1) + `}`,
		"a hash":    `{"serialNumber":"1","hashFunction":"md5",` + oathBody + `}`, "unknown": `{"serialNumber":"1","digits":8,` + oathBody + `}`,
		"nobody": `{"serialNumber":"1","assignTo":{"id":"nobody"},` + oathBody + `}`,
	} {
		if a := l.do("POST", base, tok, body); a.code != 400 {
			t.Errorf("%s: %d %.200s", name, a.code, a.raw)
		}
	}
	l.do("POST", "/v1.0/"+oathPath, tok, `{"serialNumber":"1",`+oathBody+`}`).want(400) // beta alone
	l.do("POST", base, l.token(partnerID, ursa, everything()), `{"serialNumber":"1",`+oathBody+`}`).want(403)
	made := l.do("POST", base, tok, `{"serialNumber":"DESK-1",`+oathBody+`}`).want(201)
	id := str(made.body, "id")
	if str(made.body, "status") != "available" || made.body["secretKey"] != nil || str(made.body, "hashFunction") != "hmacsha1" {
		t.Errorf("%s", made.raw)
	}
	l.do("POST", base, tok, `{"serialNumber":"desk-1",`+oathBody+`}`).want(409)

	own := "/beta/users/" + rhea + "/authentication/hardwareOathMethods"
	l.do("POST", own, tok, `{"device":{"id":"`+id+`"}}`).want(201)
	l.do("DELETE", base+"/"+id, tok, "").want(400) // somebody's
	l.do("POST", own, tok, `{"device":{"id":"`+id+`"}}`).want(400)
	if u := l.oathMethods(rhea); len(u) != 0 {
		t.Errorf("a token that is not activated is a method: %v", u)
	}
	l.do("POST", own+"/"+id+"/activate", tok, `{"verificationCode":"000000"}`).want(400)
	code := l.oathCode(otp.AlgorithmSHA1, 30)
	l.do("POST", own+"/"+id+"/activate", tok, `{"verificationCode":"`+code+`","displayName":"Desk"}`).want(204)
	if u := l.oathMethods(rhea); len(u) != 1 || u[0].Secret != oathSeed || u[0].Name != "Desk" {
		t.Errorf("%+v", u)
	}
	l.do("POST", own+"/"+id+"/activate", tok, `{"verificationCode":"`+code+`"}`).want(400) // each step once
	got := l.get(own, tok).want(200)
	all := string(got.raw) + string(l.get(base, tok).raw) + string(l.get(base+"/"+id, tok).raw) + string(l.get("/v1.0/auditLogs/directoryAudits", tok).raw) +
		string(l.get("/beta/users/"+rhea+"/authentication/methods", tok).raw)
	if strings.Contains(all, oathSeed) || !strings.Contains(all, "activated") || !strings.Contains(all, "hardwareOathAuthenticationMethod") {
		t.Errorf("%.2000s", all)
	}
	l.do("POST", own+"/"+id+"/deactivate", tok, "").want(204)
	if u := l.oathMethods(rhea); len(u) != 0 {
		t.Errorf("%+v", u)
	}
	l.do("DELETE", own+"/"+id, tok, "").want(204)
	l.do("DELETE", base+"/"+id, tok, "").want(204)
	l.get(base+"/"+id, tok).want(404)
}

func (l *lab) oathMethods(user string) (out []world.Method) {
	l.w.Read(func(s *world.State) {
		for _, m := range s.PartnerTenant().Users.Get(user).Methods {
			if m.Type == world.MethodHardware {
				out = append(out, m)
			}
		}
	})
	return out
}

// TestHardwareOathBulk: many are uploaded at once, and each says what became of it;
// one step assigns and activates.
func TestHardwareOathBulk(t *testing.T) {
	l := newLab(t)
	tok, base := l.admin(), "/beta/"+oathPath
	a := l.do("PATCH", base, tok, `{"@context":"#$delta","value":[{"@contentId":"1","serialNumber":"A",`+oathBody+`},
		{"@contentId":"2","serialNumber":"a",`+oathBody+`},
		{"@contentId":"3","serialNumber":"B","hashFunction":"hmacsha256","assignTo":{"id":"`+rhea+`"},`+strings.Replace(oathBody, ":30", ":60", 1)+`}]}`).want(200)
	rows := a.rows()
	if len(rows) != 3 || str(rows[0], "status") != "available" || !strings.Contains(str(rows[1], "message"), "exists already") ||
		str(rows[2], "status") != "assigned" || str(rows[2], "@contentId") != "3" {
		t.Errorf("%s", a.raw)
	}
	own := "/beta/users/" + rhea + "/authentication/hardwareOathMethods"
	l.do("POST", own+"/assignAndActivateBySerialNumber", tok, `{"serialNumber":"A","verificationCode":"1"}`).want(400)
	code := l.oathCode(otp.AlgorithmSHA1, 30)
	l.do("POST", own+"/assignAndActivateBySerialNumber", tok, `{"serialNumber":"A","verificationCode":"`+code+`","displayName":"A"}`).want(201)
	long := l.oathCode(otp.AlgorithmSHA256, 60)
	l.do("POST", own+"/"+str(rows[2], "id")+"/activate", tok, `{"verificationCode":"`+long+`"}`).want(204)
	if u := l.oathMethods(rhea); len(u) != 2 {
		t.Errorf("%+v", u)
	}
	_, _ = l.clock.Jump(time.Hour)
}
