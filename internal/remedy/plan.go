package remedy

import (
	"encoding/json"
	"time"
)

// Form names the form of a plan's file; it changes only when a reader would break.
const Form = "partnerguard-plan/1"

// Kind is a kind of object in a tenant that a plan may change.
type Kind string

// The kinds. What no interface of Microsoft's changes is a [Person]'s.
const (
	Policy          Kind = "conditional-access-policy"
	Location        Kind = "named-location"
	Strength        Kind = "authentication-strength"
	Defaults        Kind = "security-defaults"
	Methods         Kind = "authentication-methods-policy" // with its registration campaign
	Method          Kind = "authentication-method"         // one configuration of it, External MFA too
	PerUserMFA      Kind = "per-user-mfa"                  // of one account
	Group           Kind = "group"                         // of a stage
	Member          Kind = "group-member"                  // one account in one group
	Role            Kind = "role-assignment"               // removed alone
	Credential      Kind = "app-credential"                // removed alone; never comes back
	Principal       Kind = "service-principal"             // switched off or on
	Grant           Kind = "oauth2-permission-grant"       // a delegated consent
	AppRole         Kind = "app-role-assignment"           // a permission that an app has by itself
	Authorization   Kind = "authorization-policy"          // user consent
	ConsentRequests Kind = "admin-consent-request-policy"  // the admin consent workflow
	Person          Kind = "person"                        // exact steps, and a check that they were done
)

// Do is what a step does to its object.
type Do string

// The deeds.
const (
	Create Do = "create"
	Update Do = "update"
	Delete Do = "delete"
	Ask    Do = "ask" // a person does it
)

// Undo says how a step is taken back.
type Undo string

// The ways back. Irreversible ones are told before they are done.
const (
	Restores     Undo = "restore"      // the object as it was, property by property
	Removes      Undo = "remove"       // what was made goes
	SoftDeleted  Undo = "soft-deleted" // Microsoft restores it for 30 days; else it is made anew
	Recreates    Undo = "recreate"     // it is made again from what it was; its id changes
	Irreversible Undo = "none"
	ByPerson     Undo = "person"
)

// Object is an object in canonical form: JSON with its members in order, what the server
// sets by itself left out, defaults as the server would say them. nil: there is none.
// Package object makes it so.
type Object = json.RawMessage

// Plan is what is to be changed in one tenant, why, in which order and stages, and what
// was found out about it. It is data: nothing in it is run.
type Plan struct {
	Form     string    `json:"form"`
	ID       string    `json:"id"`   // random; the stages' groups are named after it
	Goal     string    `json:"goal"` // what was asked for: a requirement's id, preset:NAME, policies
	Made     time.Time `json:"made"`
	By       string    `json:"by"` // who, as the trail says it
	Program  string    `json:"program"`
	RuleBook string    `json:"ruleBook"`
	Tenant   Tenant    `json:"tenant"`
	Basis    Basis     `json:"basis"`
	Serves   []string  `json:"serves"`          // ids of requirements and practices that it is to meet
	Stages   []Stage   `json:"stages"`          // in order; the last one is [All]
	Pilot    []string  `json:"pilot,omitempty"` // ids of accounts in the pilot
	// Actor is the account that the plan was made for to apply it, by its id, or "app:" with an
	// application's: no other does. "" was not said.
	Actor string `json:"actor,omitempty"`
	Wait  Wait   `json:"wait"`
	Steps []Step `json:"steps"`
	Gate  *Gate  `json:"gate,omitempty"` // as it was when the plan was made; never believed later
	// Accepted are consequences that persons take upon themselves, by the ids of findings.
	Accepted []Acceptance `json:"accepted,omitempty"`
	// Signature is of whoever made it, over all the rest: a C2SP signed note. "" nobody's.
	Signature string `json:"signature,omitempty"`
}

// Tenant says whose settings are changed. Cloud is public, usgov or china.
type Tenant struct {
	ID    string `json:"id"`
	Name  string `json:"name,omitempty"`
	Cloud string `json:"cloud,omitempty"`
}

// Basis says what the plan was made from.
type Basis struct {
	AsOf   time.Time `json:"asOf"`             // the oldest of the settings
	From   []string  `json:"from,omitempty"`   // inputs as they were named; live readings are "live"
	SHA256 string    `json:"sha256,omitempty"` // over the objects as they were, in the order of the steps
}

// Wait says how long each stage is watched before the next, at least.
type Wait struct {
	ReportOnly time.Duration `json:"reportOnly"`
	Pilot      time.Duration `json:"pilot"`
	Share      time.Duration `json:"share"`
	SignIns    int64         `json:"signIns"` // that the stage's policies must have been evaluated for
}

// Step changes one object.
type Step struct {
	N    int    `json:"n"` // counts from 1, in the order in which they are done
	Do   Do     `json:"do"`
	Kind Kind   `json:"kind"`
	ID   string `json:"id,omitempty"` // Microsoft's; never found by name. "" where the plan makes it
	// Key stands for the id of what this plan makes: other steps say {KEY}.
	Key    string   `json:"key,omitempty"`
	Name   string   `json:"name,omitempty"` // shown to people, and never matched
	Text   string   `json:"text"`           // what it does, one sentence without a full stop
	Serves []string `json:"serves,omitempty"`
	Before Object   `json:"before,omitempty"`
	After  Object   `json:"after,omitempty"`
	// ETag and Modified are the object's when it was read: "" and zero where it has none.
	ETag     string    `json:"etag,omitempty"`
	Modified time.Time `json:"modified,omitzero"`
	Place    *Place    `json:"place,omitempty"` // where the archive has it as it was
	// Staged steps go through the stages; others are done with the first stage that is
	// not report-only, unless First says that they come before all.
	Staged bool `json:"staged,omitempty"`
	First  bool `json:"first,omitempty"`
	// Permissions are Graph's least ones, Role the least role of the account.
	Permissions []string `json:"permissions,omitempty"`
	Role        string   `json:"role,omitempty"`
	Undo        Undo     `json:"undo"`
	Traps       []string `json:"traps,omitempty"`
	Task        *Task    `json:"task,omitempty"` // of [Ask]
}

// Place is where the archive has an object's page.
type Place struct {
	Segment string `json:"segment"`
	Index   int64  `json:"index"`
}

// About begins what a person's task says first where something decides what it is about: an
// account with its roles, an app, a customer. Whoever may not see people is not shown it.
const About = "about: "

// Task is what a person does, where no interface does it.
type Task struct {
	Do     []string `json:"do"`              // in order, commands and clicks
	Undo   []string `json:"undo,omitempty"`  // the way back
	Check  string   `json:"check,omitempty"` // the request or question that shows that it was done
	Within string   `json:"within,omitempty"`
}

// Acceptance is a person's yes to one finding by its id, for a time.
type Acceptance struct {
	Finding string    `json:"finding"`
	By      string    `json:"by"`
	Why     string    `json:"why"`
	Until   time.Time `json:"until"`
}

// LongestYes is how long an acceptance holds at most, from the moment at which it is asked for.
const LongestYes = 366 * 24 * time.Hour

// Holds says that an acceptance counts at a moment: it has not ended, and it is not for ever.
func (a *Acceptance) Holds(now time.Time) bool {
	return a.Until.After(now) && a.Until.Sub(now) <= LongestYes
}
