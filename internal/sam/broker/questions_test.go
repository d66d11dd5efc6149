package broker_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/sam/broker"
)

// TestQuestionsOfOneSubject: workloads of one caller do not keep each other from
// asking, and no question waits for ever.
func TestQuestionsOfOneSubject(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		r.policy(wholePolicy)
		ask := func(subject string) string {
			c := r.b.CallerForTest("deploy")
			c.Actor, c.Subject = "oidc:deploy", subject
			_, err := r.b.Token(t.Context(), c, broker.Ask{Resource: "arm", Customer: adatum})
			return fmt.Sprint(err)
		}
		for i := range 100 {
			ask(fmt.Sprintf("repo:contoso/infra:ref:refs/heads/%d", i))
		}
		r.jump(90 * 24 * time.Hour)
		if got := ask("repo:contoso/infra:ref:refs/heads/main"); !strings.Contains(got, "approval a-") {
			t.Error(got)
		}
	})
}
