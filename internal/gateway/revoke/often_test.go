package revoke

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/gateway"
	"partnerguard/internal/problem"
)

// TestSessionsLeaveRoom: however many sessions end, people can revoke.
func TestSessionsLeaveRoom(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t))
	r.exec(t, fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
		INSERT INTO gateway_revocations (id, kind, value, tenant, before_at, until_at, who, why, made, ended, ended_by, mark)
		SELECT 'gr-' || i, 'token', 'gs-' || i, '', 0, 0, 'x', 'x', 1, 0, '', x'00' FROM n`, maxEnded))
	x := Revocation{Kind: Token, Value: "gs", Why: "signed out"}
	if _, err := r.End(t.Context(), x, "entra:eve"); !errors.Is(err, problem.Limit) {
		t.Errorf("one more session of so many: %v", err)
	}
	if _, err := r.Revoke(t.Context(), x, "local:ada"); err != nil {
		t.Errorf("an administrator cannot revoke: %v", err)
	}
}

// TestForget: what has been over for a week is read no more, and nothing is said to be
// missing. What is not over stays, and what somebody took out is missed.
func TestForget(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		r.look(t)
		until := start.Add(time.Hour)
		r.revoke(t, Revocation{Kind: Token, Value: "u9", Until: until})
		taken := r.revoke(t, Revocation{Kind: Token, Value: "u8", Until: until})
		if _, err := r.Unrevoke(t.Context(), taken.ID, "local:ada"); err != nil {
			t.Fatal(err)
		}
		r.revoke(t, Revocation{Kind: User, Value: "ada"})
		long := r.revoke(t, Revocation{Kind: User, Value: "bob", Until: start.Add(30 * 24 * time.Hour)})
		for _, step := range []struct {
			after time.Duration
			want  int
		}{{6 * 24 * time.Hour, 4}, {kept + 2*time.Hour, 2}} {
			r.now = start.Add(step.after)
			if err := r.Forget(t.Context()); err != nil {
				t.Fatal(err)
			}
			list, err := r.List(t.Context())
			if err != nil || len(list) != step.want {
				t.Errorf("after %s: %+v %v", step.after, list, err)
			}
			for _, x := range list {
				if x.Refused != "" {
					t.Errorf("after %s: %s is said to be odd: %s", step.after, x.Value, x.Refused)
				}
			}
		}
		r.exec(t, "DELETE FROM gateway_revocations WHERE id = $1", long.ID)
		r.look(t)
		list, err := r.List(t.Context())
		if err != nil || len(list) != 2 || !r.Revoked(ada(func(id *gateway.Identity) { id.ObjectID = "bob" }), r.now) {
			t.Errorf("what somebody took out: %+v %v", list, err)
		}
	})
}
