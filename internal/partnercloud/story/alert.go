package story

import (
	"fmt"
	"strings"

	"partnerguard/internal/partnercloud/world"
)

// raise lets Microsoft send an alert about resources of the story. Where there are none
// there is nothing to be seen, and no alert.
func (p *player) raise(kind, name, about, severity string, seen []world.AzureResource, details map[string]string) string {
	if len(seen) == 0 {
		return ""
	}
	legacy, _ := world.LegacyAlertType(kind)
	a := &world.Alert{ID: p.id("alert/" + kind), Type: kind, LegacyType: legacy, Name: name, Description: about, Severity: severity, Confidence: "high",
		Status: "active", Detected: p.at, First: seen[0].Created, Last: p.at, Customer: p.t.ID, Subscription: p.st.Subscription, Offer: "ms-azr-17g",
		Hits: len(seen), Activity: []world.AlertActivity{}, Details: details, Resources: []world.AlertResource{}}
	a.EventID = p.st.Subscription + "_" + p.id("entity/"+kind)
	if details == nil {
		a.Details = map[string]string{}
	}
	const most = 20
	for _, r := range seen[:min(len(seen), most)] {
		a.Resources = append(a.Resources, world.AlertResource{ID: p.scope() + r.Path(), Type: r.Type})
	}
	p.s.RaiseAlertAt(a, p.at)
	return "Microsoft sends the alert " + kind + "."
}

// mining is the alert about machines that talk to mining pools.
func (p *player) mining(kind string) string {
	seen := p.made(kind)
	return p.raise("CryptoMining", "Virtual machines are mining", "Virtual machines talk to known mining pools.", "high", seen, map[string]string{
		"VM_IP": "10.0.0.4", "MiningPool_IP": "198.51.100.77", "CryptoCurrencyMiningPoolDomainName": "pool.coins.example",
		"ConnectionCount": fmt.Sprint(12 * len(seen))})
}

// again changes an alert that is open: seen once more.
func (p *player) again(kind string) string {
	a := p.s.PartnerTenant().Alerts.Get(p.id("alert/" + kind))
	if a == nil || a.Status == "resolved" {
		return ""
	}
	c := *a
	c.Hits, c.Last = a.Hits*2, p.at
	p.s.RaiseAlertAt(&c, p.at)
	return "Microsoft sees " + strings.TrimPrefix(kind, "ARM_") + " once more."
}
