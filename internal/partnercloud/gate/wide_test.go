package gate

import (
	"net/http/httptest"
	"net/url"
	"testing"
	"time"
)

func TestAsked(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		path, filter string
		want         time.Duration
	}{
		{"/beta/auditLogs/signIns", "", whole},
		{"/beta/auditLogs/signIns", "createdDateTime ge 2026-11-28T00:00:00Z", 12 * time.Hour},
		{"/beta/auditLogs/signIns", "createdDateTime ge 2026-11-27T00:00:00Z and createdDateTime le 2026-11-27T01:00:00Z and isInteractive eq true", time.Hour},
		{"/v1.0/auditLogs/directoryAudits", "activityDateTime le 2026-11-20T00:00:00Z and activityDateTime ge 2026-11-18T00:00:00Z", 48 * time.Hour},
		{"/v1.0/auditLogs/directoryAudits", "activityDateTime ge nonsense", whole},
		{"/v1.0/users", "createdDateTime ge 2026-01-01T00:00:00Z", 0},
		{"/subscriptions/x/providers/Microsoft.Insights/eventtypes/management/values", "eventTimestamp ge '2026-11-27T12:00:00Z'", 24 * time.Hour},
	} {
		r := httptest.NewRequest("GET", "https://x"+c.path+"?$filter="+url.QueryEscape(c.filter), nil)
		if got := asked(r, now); got != c.want {
			t.Errorf("%s %s: %s, want %s", c.path, c.filter, got, c.want)
		}
	}
	if got := asked(httptest.NewRequest("GET", "https://x/beta/auditLogs/signIns?$skiptoken=1", nil), now); got != 0 {
		t.Errorf("a further page: %s", got)
	}
}
