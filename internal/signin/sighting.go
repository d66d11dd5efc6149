package signin

import (
	"time"

	"partnerguard/internal/evidence"
)

// Sighting is one row that survived the fold, with its final verdict: what a
// visitor needs to replay it. Texts alias the fold's memory and are valid only
// during the call.
type Sighting struct {
	ID                string
	UserID            string
	UserPrincipalName string
	AppID             string
	AppDisplayName    string
	ClientAppUsed     string
	IPAddress         string
	Country           string
	Platform          string // deviceDetail.operatingSystem as written
	Program           string // the user agent when it is a program's and no browser's, cut
	RiskLevel         string // riskLevelDuringSignIn
	Resource          string // resourceDisplayName, else resourceId
	Protocol          string // authenticationProtocol as written
	PolicyState       string // conditionalAccessStatus as written: success, failure, notApplied
	Compliant         Tri    // deviceDetail.isCompliant
	HybridJoined      Tri    // deviceDetail.trustType is a hybrid join; unknown when empty
	Interactive       Tri    // isInteractive
	Verdict           Verdict
	Reason            Reason
	Success           bool
	Legacy            bool
	DeviceCode        bool
	ROPC              bool
	AOBO              bool
	At                time.Time // zero when the clock is unreadable
	Source            evidence.Source

	// Alike says which rows have the same texts without comparing them.
	Alike Alike
}

// Alike are numbers that rows of one book share where their texts are the same: Who of the
// user's id and names, What of app, client and country, Seen of platform, program, risk,
// resource, protocol and policy state. Other numbers may stand for the same texts. Book is zero where
// nothing is known, and never used again for others.
type Alike struct {
	Book            uint64
	Who, What, Seen uint32
}

// Visitor sees every surviving row of user sign-ins when a fold is finished. One
// visitor serves one goroutine; the order of rows is not defined.
type Visitor interface {
	See(s *Sighting)
}
