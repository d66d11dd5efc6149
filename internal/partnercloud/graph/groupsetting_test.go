package graph

import (
	"strings"
	"testing"
)

func TestGroupSettings(t *testing.T) {
	l := newLab(t)
	tok := l.admin()
	templates := l.get("/v1.0/groupSettingTemplates", tok).rows()
	if len(templates) != 7 || templates[0]["displayName"] != "Group.Unified" || len(objs(templates[0], "values")) != 13 {
		t.Errorf("%v", templates)
	}
	l.get("/beta/groupSettings", tok).want(400)
	body := `{"templateId":"62375ab9-6b52-47ed-826b-58e47e0e304b","values":[{"name":"EnableGroupCreation","value":"false"},
		{"name":"ClassificationList","value":"Low, High"}]}`
	a := l.do("POST", "/v1.0/groupSettings", tok, body).want(201).body
	path := "/v1.0/groupSettings/" + str(a, "id")
	value := func(name string) any {
		for _, v := range objs(l.get(path, tok).want(200).body, "values") {
			if v["name"] == name {
				return v["value"]
			}
		}
		return nil
	}
	if a["displayName"] != "Group.Unified" || value("EnableGroupCreation") != "false" || value("AllowToAddGuests") != "true" {
		t.Errorf("%v", a)
	}
	l.do("POST", "/v1.0/groupSettings", tok, body).refused(400, "Request_BadRequest")
	// A client sends everything back with one value changed.
	b := l.get(path, tok).want(200).body
	delete(b, "@odata.context")
	raw := strings.Replace(jsonText(b), `{"name":"DefaultClassification","value":""}`, `{"name":"DefaultClassification","value":"Low"}`, 1)
	l.do("PATCH", path, tok, raw).want(204)
	if value("DefaultClassification") != "Low" || value("ClassificationList") != "Low, High" {
		t.Errorf("%s", l.get(path, tok).raw)
	}
	for _, bad := range []string{`{"values":[{"name":"Nonsense","value":"x"}]}`, `{"values":[{"name":"EnableGroupCreation","value":"maybe"}]}`,
		`{"values":[{"name":"GroupCreationAllowedGroupId","value":"x"}]}`, `{"templateId":"` + ada + `"}`, `{"colour":1}`,
		`{"displayName":"Mine"}`} {
		l.do("PATCH", path, tok, bad).refused(400, "Request_BadRequest")
	}
	l.do("PATCH", path, l.token(partnerID, plain, everything()), `{"values":[]}`).want(403)
	l.do("DELETE", path, tok, "").want(204)
	l.get(path, tok).want(404)
}

func TestPasswordsAreValidated(t *testing.T) {
	l := newLab(t)
	for p, want := range map[string]bool{"Correct-Horse-1": true, "abc": false, "lowercaseonly": false, strings.Repeat("aA1", 100): false} {
		a := l.do("POST", "/beta/users/validatePassword", l.admin(), `{"password":"`+p+`"}`).want(200).body
		if a["isValid"] != want || len(objs(a, "validationResults")) != 4 {
			t.Errorf("%.20s: %v", p, a)
		}
	}
	l.do("POST", "/beta/users/validatePassword", l.admin(), `{}`).refused(400, "Request_BadRequest")
	l.do("POST", "/v1.0/users/validatePassword", l.admin(), `{"password":"x"}`).want(405)
}
