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
