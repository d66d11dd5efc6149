package center

import (
	"net/http"
	"strings"
	"testing"

	"partnerguard/internal/partnercloud/world"
)

// Work of the partner's people in a customer's tenant stands in the customer's audit
// log as a technician's, and leads to them by the object id.
func TestTechnicianRows(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	body := `{"usageLocation":"IE","userPrincipalName":"new@` + domainOf(l, dapID) + `","displayName":"New","passwordProfile":{"password":"Winter-Garden-1"}}`
	if a := l.as("agent", "POST", "/v1/customers/"+dapID+"/users", body); a.Code != http.StatusCreated {
		t.Fatalf("%d %s", a.Code, a.Body)
	}
	l.w.Read(func(s *world.State) {
		rows := s.Tenant(dapID).Audits
		by := rows[len(rows)-1].By.User
		want := "user_" + strings.ReplaceAll(uid("agent"), "-", "") + "@"
		if by == nil || !strings.HasPrefix(by.UPN, want) || by.ID != uid("agent") || *by.Name != s.PartnerTenant().Name+" Technician" {
			t.Errorf("%+v, want %s", by, want)
		}
	})
}

func domainOf(l *lab, tenant string) (domain string) {
	l.w.Read(func(s *world.State) { domain = s.Tenant(tenant).Domain() })
	return domain
}
