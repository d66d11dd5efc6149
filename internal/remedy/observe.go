package remedy

import "time"

// Effect is what a policy does to sign-ins of one account to one app by one client, as
// counted in a log or foretold by a rehearsal. Result is success, failure, interrupted or
// notApplied, without Microsoft's prefix reportOnly.
type Effect struct {
	Account string    `json:"account"` // id, lower case
	Name    string    `json:"name,omitempty"`
	App     string    `json:"app"`
	Client  string    `json:"client"` // Microsoft's clientAppUsed
	Result  string    `json:"result"`
	Count   int64     `json:"count"`
	Last    time.Time `json:"last,omitzero"`
}
