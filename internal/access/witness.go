package access

import (
	"slices"

	"partnerguard/internal/entra"
)

// preferred classes make a witness look like a sign-in that happens.
var preferred = map[dimID][]int{
	dimClient:   {clientBrowser, clientNative, clientOther, clientEAS, clientDeviceCode, clientTransfer},
	dimPlatform: {2, 4, 1, 0, 5, 3, 6}, // windows, macOS, iOS, android, linux ...
}

func (e *Engine) witnessPoint(c *compiledQuestion, b box, subject int) Point {
	p := Point{User: subject, Classes: make([]int32, len(e.dims))}
	for l := range e.dims {
		order := preferred[dimID(l)]
		if dimID(l) == dimResource {
			order = []int{e.apps[resOther], e.apps[entra.AppExchange]}
			if p.Classes[dimClient] == clientEAS {
				order = []int{e.apps[entra.AppExchange]}
			}
		}
		if dimID(l) == dimLocation {
			order = []int{e.geo.home}
		}
		if x := e.axisOf(l); x != nil && x.bare && p.Classes[dimClient] != clientOther {
			order = []int{1} // a device that has a value is easier to come by
		}
		if l >= int(dimCompliant) && p.Classes[dimClient] == clientOther {
			order = []int{0}
		}
		p.Classes[l] = -1
		for _, k := range append(slices.Clone(order), c.classes[l]...) {
			if k >= 0 && hasClass(b[l], k) && slices.Contains(c.classes[l], k) {
				p.Classes[l] = int32(k)
				break
			}
		}
	}
	return p
}

// witness turns a point into a sign-in a person can try, and asks Decide.
func (e *Engine) witness(c *compiledQuestion, p Point) Witness {
	s := SignIn{User: p.User, Device: map[string]bool{}}
	s.Client = []string{"browser", "native", "device-code", "transfer", "eas", "other"}[p.Classes[dimClient]]
	s.App = e.appKeys[p.Classes[dimResource]]
	s.Platform = platformNames[p.Classes[dimPlatform]]
	place := &e.geo.places[p.Classes[dimLocation]]
	// An address does not tell every place: not the compliant network, and not
	// where an authenticator is by GPS.
	if place.ip.IsValid() && e.geo.find(place.ip, place.country) == int(p.Classes[dimLocation]) {
		s.IP, s.Country = place.ip, place.country
	} else {
		s.Location = place.label
	}
	s.SignInRisk, s.UserRisk, s.InsiderRisk = riskNames[p.Classes[dimSignInRisk]], riskNames[p.Classes[dimUserRisk]], insiderNames[p.Classes[dimInsiderRisk]]
	for l := int(dimCompliant); l < len(e.dims); l++ {
		e.deviceFacts(l, p.Classes[l], s.Device)
	}
	w := Witness{Account: e.subject(p.User).label(), SignIn: s}
	again := e.Point(&s)
	w.Outcome = e.Outcome(again)
	w.Confirmed = slices.Equal(again.Classes, p.Classes) && !e.guarded(c, again)
	return w
}

// guarded asks, by matching alone and without the diagram, whether a point
// has the protection that a question asks for, counting possible matches too.
func (e *Engine) guarded(c *compiledQuestion, p Point) bool {
	sure, could := e.mask(), e.mask()
	e.match(p, sure, could)
	hit := false
	could.each(func(i int) {
		if c.protects.has(i) && (e.demands[i].block || e.withoutAlternative(&e.demands[i], p) != no) {
			hit = true
		}
	})
	return hit
}
