package world

import (
	"crypto/subtle"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
)

// OathDevice is a hardware OATH token of a tenant (contracts-2026-11.md section 6):
// its seed was uploaded, and it may be somebody's.
type OathDevice struct {
	ID           string    `json:"id"`
	Serial       string    `json:"serial"`
	Manufacturer string    `json:"manufacturer"`
	Model        string    `json:"model"`
	Secret       string    `json:"secret"`             // base32; never shown
	Interval     int       `json:"interval"`           // seconds: 30 or 60
	Hash         string    `json:"hash"`               // hmacsha1, hmacsha256
	User         string    `json:"user,omitempty"`     // object id; "" nobody's
	Name         string    `json:"name,omitempty"`     // that its user sees
	Active       bool      `json:"active,omitempty"`   // a code of it was shown
	LastStep     int64     `json:"lastStep,omitempty"` // the newest step taken by an activation
	Created      time.Time `json:"created"`
}

// Key is the object id.
func (d *OathDevice) Key() string { return d.ID }

// Status is hardwareOathTokenStatus of Microsoft Graph.
func (d *OathDevice) Status() string {
	switch {
	case d.User == "":
		return "available"
	case d.Active:
		return "activated"
	}
	return "assigned"
}

// Method is what its user has registered once it is activated.
func (d *OathDevice) Method(now time.Time) Method {
	return Method{ID: d.ID, Type: MethodHardware, Name: d.Name, Created: now, Secret: d.Secret, Interval: d.Interval, Hash: d.Hash, LastStep: d.LastStep}
}

// CodeStep finds the step within one of the present that gives a code of six digits;
// 0 when none does (RFC 6238 section 5.2). interval is in seconds, 0 is 30; hash is
// hmacsha256, or else SHA-1.
func CodeStep(secret, code string, interval int, hash string, now time.Time) int64 {
	if interval <= 0 {
		interval = 30
	}
	algorithm := otp.AlgorithmSHA1
	if hash == "hmacsha256" {
		algorithm = otp.AlgorithmSHA256
	}
	at := now.Unix() / int64(interval)
	found := int64(0)
	for _, step := range []int64{at - 1, at, at + 1} {
		want, err := hotp.GenerateCodeCustom(secret, uint64(step), hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: algorithm})
		if err == nil && subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 {
			found = step
		}
	}
	return found
}
