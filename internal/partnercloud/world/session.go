package world

import (
	"strings"
	"time"
)

// Session is a browser's signed-in state, kept by the hash of its cookie.
type Session struct {
	Hash       string    `json:"hash"`
	SID        string    `json:"sid"` // the sid claim and log's sessionId
	TenantID   string    `json:"tenantId"`
	UserID     string    `json:"userId"`
	Created    time.Time `json:"created"`
	AuthTime   time.Time `json:"authTime"`         // of the first factor
	MFATime    time.Time `json:"mfaTime,omitzero"` // zero: no MFA in this session
	AMR        []string  `json:"amr"`              // how: pwd, otp, fido, mfa …
	Combos     []string  `json:"combos,omitempty"` // strength combinations done: "password,softwareOath", "fido2"
	Persistent bool      `json:"persistent,omitempty"`
	LastUsed   time.Time `json:"lastUsed"`
	UserAgent  string    `json:"userAgent,omitempty"`
}

// Key is the cookie's hash.
func (s *Session) Key() string { return s.Hash }

// RefreshToken is a refresh token by the hash of its value (contracts.md 4.3).
// It is bound to user and client, not to tenant or resource. Using one leaves it
// valid and makes another; both belong to one family.
type RefreshToken struct {
	Hash     string    `json:"hash"`
	Family   string    `json:"family"`
	Tenant   string    `json:"tenant"` // the user's home tenant
	User     string    `json:"user"`
	App      string    `json:"app"` // app id of the client
	Issued   time.Time `json:"issued"`
	LastUsed time.Time `json:"lastUsed"`
	// AuthTime, MFATime and AMR are frozen from the interactive sign-in.
	AuthTime     time.Time `json:"authTime"`
	MFATime      time.Time `json:"mfaTime,omitzero"`
	AMR          []string  `json:"amr"`
	Combos       []string  `json:"combos,omitempty"`
	SID          string    `json:"sid"`
	SPA          bool      `json:"spa,omitempty"` // dies 24 hours after the sign-in
	Confidential bool      `json:"confidential,omitempty"`
	Scopes       []string  `json:"scopes,omitempty"` // of the first request
	DeviceCode   bool      `json:"deviceCode,omitempty"`
	Revoked      string    `json:"revoked,omitempty"` // why, when this family was ended by itself
}

// Key is the token's hash.
func (r *RefreshToken) Key() string { return r.Hash }

// MFA reports that the sign-in behind it carried MFA.
func (r *RefreshToken) MFA() bool { return !r.MFATime.IsZero() }

// EndSessions ends every session and refresh token that a user has now, also
// where the clock stands still.
func (s *State) EndSessions(tenantID, userID, why string) {
	for _, x := range s.Sessions.List() {
		if strings.EqualFold(x.TenantID, tenantID) && strings.EqualFold(x.UserID, userID) {
			s.Sessions.Delete(x.Hash)
		}
	}
	for _, r := range s.Refresh.List() {
		if r.Revoked == "" && strings.EqualFold(r.Tenant, tenantID) && strings.EqualFold(r.User, userID) {
			s.Refresh.Change(r.Hash, func(r *RefreshToken) { r.Revoked = why })
		}
	}
	s.dirty = true
}
