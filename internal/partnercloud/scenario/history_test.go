package scenario

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"
	"time"

	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/signin"
	"partnerguard/internal/signin/read"
)

// readAll gives the rows of a tenant in the generated days, by day.
func readAll(s *world.State, t *world.Tenant, days int) map[time.Time][]*world.SignIn {
	out := map[time.Time][]*world.SignIn{}
	for d := 0; d <= days; d++ {
		day := s.Created.Truncate(24*time.Hour).AddDate(0, 0, -d)
		out[day] = s.History.SignIns(s, t, day)
	}
	return out
}

// TestHistoryAsEvidence reads the generated rows as the product reads exports.
func TestHistoryAsEvidence(t *testing.T) {
	t.Parallel()
	w := build(t, Options{})
	w.Read(func(s *world.State) {
		verdicts, reasons, codes, clients := map[string]int{}, map[string]int{}, map[int]int{}, map[string]int{}
		seen := map[string]bool{}
		var dec read.Decoder
		var e signin.Event
		list := []string{s.Partner}
		for c := range s.PartnerTenant().Customers.All() {
			list = append(list, c.TenantID)
		}
		for _, id := range list {
			for _, rows := range readAll(s, s.Tenant(id), 30) {
				for _, r := range rows {
					raw, err := json.Marshal(r)
					if err != nil {
						t.Fatal(err)
					}
					if seen[r.ID] && r.CrossTenant != "serviceProvider" {
						t.Errorf("id %s twice", r.ID)
					}
					seen[r.ID] = true
					if _, err := dec.Decode(raw, &e); err != nil {
						t.Fatalf("%v: %s", err, raw)
					}
					j := signin.Judge(&e)
					verdicts[j.Verdict.String()]++
					reasons[fmt.Sprint(j.Verdict, "/", j.Reason)]++
					codes[r.Status.ErrorCode]++
					clients[r.ClientAppUsed]++
					if j.Verdict == signin.Unknown && j.Reason != signin.ReasonEarlierClaimUnseen {
						t.Errorf("unknown, %v: %s", j.Reason, raw)
					}
				}
			}
		}
		t.Log(verdicts)
		t.Log(reasons)
		t.Log(codes)
		t.Log(clients)
		if codes[53003] == 0 {
			t.Error("nobody tried the device code flow, which is blocked")
		}
		total := len(seen)
		if total < 1500 {
			t.Errorf("only %d rows", total)
		}
		for _, v := range signin.Verdicts() {
			if v != signin.Unknown && verdicts[v.String()] == 0 {
				t.Errorf("no row is %s", v)
			}
		}
		if n := verdicts["unknown"]; n*6 > total {
			t.Errorf("%d of %d are unknown", n, total)
		}
	})
}

// TestOrderOfAsking makes the same world in two orders.
func TestOrderOfAsking(t *testing.T) {
	t.Parallel()
	o := Options{Seed: 7, Customers: 60, Users: 120, Days: 12}
	read := func(backwards bool) map[string]string {
		out := map[string]string{}
		build(t, o).Read(func(s *world.State) {
			var ids []string
			for c := range s.PartnerTenant().Customers.All() {
				ids = append(ids, c.TenantID)
			}
			ids = append(ids, s.Partner)
			for i := range ids {
				id := ids[i]
				if backwards {
					id = ids[len(ids)-1-i]
				}
				k := s.Tenant(id)
				b, _ := json.Marshal(k)
				out["tenant/"+id] = string(b)
				for d := 0; d <= o.Days; d++ {
					n := d
					if backwards {
						n = o.Days - d
					}
					day := s.Created.Truncate(24*time.Hour).AddDate(0, 0, -n)
					b, _ := json.Marshal(s.History.SignIns(s, k, day))
					out[fmt.Sprint("log/", id, "/", day)] = string(b)
					b, _ = json.Marshal(s.History.Requests(s, k, day))
					out[fmt.Sprint("requests/", id, "/", day)] = string(b)
				}
			}
			b, _ := json.Marshal(s)
			out["state"] = string(b)
		})
		return out
	}
	one, two := read(false), read(true)
	if !reflect.DeepEqual(one, two) {
		n := 0
		for k := range one {
			if one[k] != two[k] && n < 3 {
				n++
				t.Errorf("%s differs:\n%.600s\n%.600s", k, one[k], two[k])
			}
		}
	}
}
