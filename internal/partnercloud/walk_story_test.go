package partnercloud

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/partnercloud/story"
	"partnerguard/internal/partnercloud/world"
)

// begin begins a story and gives it.
func (l *lab) begin(name, customer string) *world.Story {
	l.Helper()
	var st *world.Story
	err := l.s.World.Do(func(s *world.State) (err error) {
		st, err = l.s.director.Begin(s, story.Ask{Name: name, Customer: customer})
		return err
	})
	if err != nil {
		l.Fatal(err)
	}
	return st
}

func (l *lab) story(id string) (out world.Story) {
	l.s.World.Read(func(s *world.State) { out = *s.Stories.Get(id) })
	return out
}

// activity counts the rows of the activity log since a moment, by operation and status.
func (l *lab) activity(token, sub string, since time.Time) map[string]int {
	l.Helper()
	out := map[string]int{}
	next := l.i.ARM + "/subscriptions/" + sub + "/providers/Microsoft.Insights/eventtypes/management/values?api-version=2015-04-01&$filter=" +
		url.QueryEscape("eventTimestamp ge '"+since.UTC().Format(time.RFC3339)+"'")
	for next != "" {
		a := l.get(next, token)
		if a.status != http.StatusOK {
			l.Fatalf("activity: %d %s", a.status, a.raw)
		}
		for _, r := range a.rows() {
			out[r["operationName"].(map[string]any)["value"].(string)+" "+r["status"].(map[string]any)["value"].(string)]++
		}
		next = a.text("nextLink")
	}
	return out
}

// cost is what a customer's subscription costs in a span of days.
func (l *lab) cost(customer, sub string, from, to time.Time) (sum float64) {
	l.s.World.Read(func(s *world.State) {
		for _, u := range s.UsageOf(customer, sub, from, to) {
			sum += u.Cost
		}
	})
	return sum
}

// The attack is told of by every log, hours before Microsoft's alerts; usage follows.
func TestWalkStoryMine(t *testing.T) {
	t.Parallel()
	l := newLab(t, Options{Unthrottled: true})
	partner, tailspin := l.i.Tenant.ID, l.customer("tailspin.example")
	rt := l.consent(samAgent, "amr_values", "mfa").text("refresh_token")
	graph, center := l.good(partner, rt, graphAPI+"/.default"), l.good(partner, rt, centerAPI+"/.default")
	h := receive(t)
	if a := l.call(http.MethodPost, l.i.PartnerCenter+"/webhooks/v1/registration", center, `{"WebhookUrl":"`+h.URL+
		`/in","WebhookEvents":["azure-fraud-event-detected"]}`); a.status != http.StatusOK {
		t.Fatalf("webhook: %d %s", a.status, a.raw)
	}
	began := l.s.World.Clock.Now()
	st := l.begin(world.StoryMine, tailspin)
	l.jump(2 * time.Hour)

	own := l.good(tailspin, rt, armAPI+"/.default")
	log := l.activity(own, st.Subscription, began.Add(-time.Second))
	for row, want := range map[string]int{"Microsoft.Authorization/roleAssignments/write Succeeded": 1, "Microsoft.Quota/quotas/write Accepted": 15,
		"Microsoft.Compute/virtualMachines/write Started": 30, "Microsoft.Compute/virtualMachines/write Succeeded": 30,
		"Microsoft.Compute/virtualMachineScaleSets/write Succeeded": 2} {
		if log[row] != want {
			t.Errorf("%s: %d, want %d: %v", row, log[row], want, log)
		}
	}
	here := l.good(tailspin, rt, graphAPI+"/.default")
	audits := l.get(l.i.Graph+"/v1.0/auditLogs/directoryAudits?$top=200", here)
	for _, activity := range []string{"User registered security info", "Invite external user", "Certificates and secrets management"} {
		if !strings.Contains(audits.raw, activity) {
			t.Errorf("no %q in the audit: %d %.300s", activity, audits.status, audits.raw)
		}
	}
	l.s.World.Read(func(s *world.State) {
		c := s.Tenant(tailspin)
		u := c.Users.Get(st.Facts["user"])
		foreign := 0
		for _, r := range c.SignIns {
			if r.UserID == u.ID && r.Place.Country != "" && r.Place.Country != c.Country {
				foreign++
			}
		}
		if u.Risk != "high" || foreign < 4 {
			t.Errorf("%s: risk %s, %d foreign sign-ins", u.UPN, u.Risk, foreign)
		}
	})
	if got := l.alertsOf(graph, tailspin, st.Begun); len(got) != 0 {
		t.Errorf("alerts at once: %v", got)
	}
	l.jump(4 * time.Hour)
	graph = l.good(partner, rt, graphAPI+"/.default")
	if got := l.alertsOf(graph, tailspin, st.Begun); len(got) != 1 || !strings.HasPrefix(got[0], "VM_AnomalousDeployment active 5h30m") {
		t.Fatalf("after six hours: %v", got)
	}
	if m := h.next(l, "azure-fraud-event-detected"); !strings.Contains(m["ResourceUri"].(string), st.Subscription) {
		t.Errorf("%v", m)
	}
	l.jump(24 * time.Hour)
	graph = l.good(partner, rt, graphAPI+"/.default")
	if got := l.alertsOf(graph, tailspin, st.Begun); len(got) != 4 {
		t.Errorf("after thirty hours: %v", got)
	}
	if x := l.story(st.ID); !x.Over || x.Stopped != "" {
		t.Errorf("%+v", x)
	}
	day := began.UTC().Truncate(24 * time.Hour)
	before, during := l.cost(tailspin, st.Subscription, day.AddDate(0, 0, -10), day.AddDate(0, 0, -9)),
		l.cost(tailspin, st.Subscription, day, day.AddDate(0, 0, 2))
	if during < before+3_000 {
		t.Errorf("a usual day costs %v, those of the attack %v", before, during)
	}
}

// alertsOf are the alerts of a customer detected since a moment: type, status, and how
// long after it.
func (l *lab) alertsOf(token, customer string, since time.Time) (out []string) {
	l.Helper()
	for _, a := range l.get(l.i.Graph+"/beta/security/partner/securityAlerts?$top=500", token).rows() {
		at, err := time.Parse(time.RFC3339Nano, a["detectedDateTime"].(string))
		if a["customerTenantId"] == customer && err == nil && at.After(since) {
			out = append(out, fmt.Sprintf("%s %s %s", a["alertType"], a["status"], at.Sub(since).Truncate(time.Minute)))
		}
	}
	return out
}

// An attacker whose account was disabled, or who lost his role, does no more; what runs
// costs until it is stopped.
func TestStoryIsStopped(t *testing.T) {
	t.Parallel()
	for name, stop := range map[string]func(*world.State, *world.Tenant, *world.Story){
		"the administrator is disabled": func(s *world.State, c *world.Tenant, st *world.Story) {
			c.Users.Change(st.Facts["user"], func(u *world.User) { u.Enabled = false })
			s.Touch(c)
		},
		"his sessions are revoked": func(s *world.State, c *world.Tenant, st *world.Story) {
			c.Users.Change(st.Facts["user"], func(u *world.User) { u.SessionsValidFrom = s.Clock.Now() })
			s.Touch(c)
		},
		"the guest is disabled": func(s *world.State, c *world.Tenant, st *world.Story) {
			c.Users.Change(s.Stories.Get(st.ID).Facts["guest"], func(u *world.User) { u.Enabled = false })
			s.Touch(c)
		},
		"the guest loses the role": func(s *world.State, c *world.Tenant, st *world.Story) {
			guest := s.Stories.Get(st.ID).Facts["guest"]
			c.Azure.Change(st.Subscription, func(a *world.AzureSubscription) {
				var left []world.AzureRole
				for _, r := range a.Roles {
					if !strings.EqualFold(r.Principal, guest) {
						left = append(left, r)
					}
				}
				a.Roles = left
			})
			s.Dirty()
		},
		"the subscription is off": func(s *world.State, c *world.Tenant, st *world.Story) {
			c.Azure.Change(st.Subscription, func(a *world.AzureSubscription) { a.SetState("Disabled", s.Clock.Now()) })
			s.Dirty()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, Options{Unthrottled: true})
			tailspin := l.customer("tailspin.example")
			st := l.begin(world.StoryMine, tailspin)
			l.jump(16 * time.Minute) // the guest is Owner
			l.s.World.Read(func(s *world.State) { stop(s, s.Tenant(tailspin), s.Stories.Get(st.ID)) })
			l.jump(10 * time.Hour)
			machines := 0
			l.s.World.Read(func(s *world.State) {
				for _, r := range s.Tenant(tailspin).Azure.Get(st.Subscription).Resources {
					if r.Type == "Microsoft.Compute/virtualMachines" && r.Created.After(st.Begun) {
						machines++
					}
				}
			})
			if x := l.story(st.ID); x.Stopped == "" || machines != 0 {
				t.Errorf("stopped %q, with %d machines: %v", x.Stopped, machines, x.Acts)
			}
		})
	}
}

func TestWalkStoryContainers(t *testing.T) {
	t.Parallel()
	l := newLab(t, Options{Unthrottled: true})
	fabrikam := l.customer("fabrikam.example")
	st := l.begin(world.StoryContainers, "fabrikam.example")
	began := l.s.World.Clock.Now()
	l.jump(7 * time.Hour)
	kinds := map[string]int{}
	l.s.World.Read(func(s *world.State) {
		for _, r := range s.Tenant(fabrikam).Azure.Get(st.Subscription).Resources {
			if r.Created.After(began) {
				kinds[r.Type]++
			}
		}
		apps := 0
		for _, r := range s.Tenant(fabrikam).SignIns {
			if len(r.EventTypes) == 1 && r.EventTypes[0] == "servicePrincipal" && r.ServicePrincipalName == "Deployment pipeline" {
				apps++
			}
		}
		if apps != 1 {
			t.Errorf("%d sign-ins of the app", apps)
		}
		alerts := 0
		for a := range s.PartnerTenant().Alerts.All() {
			if a.Subscription == st.Subscription && a.Detected.After(began) {
				alerts++
			}
		}
		if alerts != 3 {
			t.Errorf("%d alerts", alerts)
		}
	})
	if kinds["Microsoft.ContainerInstance/containerGroups"] != 15 || kinds["Microsoft.MachineLearningServices/workspaces/computes"] != 1 ||
		kinds["Microsoft.Batch/batchAccounts/pools"] != 1 {
		t.Errorf("%v: %v", kinds, l.story(st.ID).Acts)
	}
}

// Honest work looks like it: the usual place, a second factor, tags, and an alert.
func TestWalkStoryDeployment(t *testing.T) {
	t.Parallel()
	l := newLab(t, Options{Unthrottled: true})
	fabrikam := l.customer("fabrikam.example")
	began := l.s.World.Clock.Now()
	st := l.begin(world.StoryDeployment, fabrikam)
	l.jump(6 * time.Hour)
	l.s.World.Read(func(s *world.State) {
		c := s.Tenant(fabrikam)
		last := c.SignIns[len(c.SignIns)-1]
		if last.Place.Country != c.Country || last.Requirement == "" || last.Status.ErrorCode != 0 {
			t.Errorf("%s in %s, %d", last.UserPrincipalName, last.Place.Country, last.Status.ErrorCode)
		}
		n := 0
		for _, r := range c.Azure.Get(st.Subscription).Resources {
			if r.Created.After(began) && r.Tags["ticket"] != "" {
				n++
			}
		}
		if n != 40 {
			t.Errorf("%d tagged machines", n)
		}
	})
	if x := l.story(st.ID); !x.Over || x.Stopped != "" {
		t.Errorf("%+v", x)
	}
}

// A story that cannot be played is refused.
func TestStoryRefused(t *testing.T) {
	t.Parallel()
	l := newLab(t, Options{})
	for name, ask := range map[string]story.Ask{
		"no such story":    {Name: "heist", Customer: "tailspin.example"},
		"no such customer": {Name: world.StoryMine, Customer: "nobody.example"},
		"no Azure":         {Name: world.StoryMine, Customer: "adatum.example"},
		"no such Azure":    {Name: world.StoryMine, Customer: "tailspin.example", Azure: "Moon base"},
	} {
		if err := l.s.World.Do(func(s *world.State) error { _, err := l.s.director.Begin(s, ask); return err }); err == nil {
			t.Errorf("%s: it was begun", name)
		}
	}
}

// A story goes on where it stood when the cloud is started again.
func TestStoryOutlivesTheCloud(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := newLab(t, Options{Unthrottled: true, State: dir})
	st := l.begin(world.StoryMine, "tailspin.example")
	l.jump(20 * time.Minute)
	before := len(l.story(st.ID).Acts)
	if err := l.s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	l = newLab(t, Options{Unthrottled: true, State: dir})
	if x := l.story(st.ID); len(x.Acts) != before || x.Over {
		t.Fatalf("%d acts, then %d", before, len(x.Acts))
	}
	l.jump(30 * time.Hour)
	if x := l.story(st.ID); !x.Over || x.Stopped != "" || len(x.Acts) < 17 {
		t.Errorf("%+v", x)
	}
}

// While the clock runs an alert comes by itself, without anybody asking for anything.
func TestStoryRunsByItself(t *testing.T) {
	t.Parallel()
	l := newLab(t, Options{Unthrottled: true})
	h := l.hooked(`"azure-fraud-event-detected"`)
	st := l.begin(world.StoryMine, "tailspin.example")
	l.jump(st.Begun.Add(330*time.Minute - 1500*time.Millisecond).Sub(l.s.World.Clock.Now()))
	h.next(l, "azure-fraud-event-detected")
}
