package graph

import "testing"

// Of a member that is there twice nobody knows which counts.
func TestMembersThatAreThereTwice(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	for _, body := range []string{`{"displayName":"A","displayName":"B"}`, `{"displayName":"A","DISPLAYNAME":"B"}`,
		`{"passwordProfile":{"forceChangePasswordNextSignIn":true,"forceChangePasswordNextSignIn":false}}`} {
		l.do("PATCH", "/v1.0/users/"+plain, l.admin(), body).refused(400, "Request_BadRequest")
	}
}

// What is taken off the end of a path may be all of it.
func TestNothingBeforeACountOrReference(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	for _, path := range []string{"/v1.0/$count", "/beta/$ref", "/v1.0/microsoft.graph.user", "/v1.0/$batch/$count", "/v1.0/" + partnerID + "/$count",
		"/v1.0/$metadata/$ref", "/v1.0/me/$count", "/v1.0//$count", "/v1.0/microsoft.graph.user/$count"} {
		if a := l.get(path, l.admin()); a.code/100 != 4 || a.errorCode() == "" {
			t.Errorf("%s: %d %.200s", path, a.code, a.raw)
		}
	}
}
