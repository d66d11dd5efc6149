package audit

import (
	"context"
	"time"
)

// Outcome says how it ended.
type Outcome string

// The outcomes.
const (
	Done    Outcome = "done"
	Refused Outcome = "refused" // by a rule of ours
	Failed  Outcome = "failed"  // it was allowed and did not work
)

// Action names what was done, as object.verb. The list grows; a reader keeps
// names it does not know.
type Action string

// The actions of the Secure Application Model.
const (
	ConnectionConsented Action = "connection.consented" // consent was captured and sealed
	ConnectionRefused   Action = "connection.refused"   // a consent was not taken, and why
	ConnectionRenewed   Action = "connection.renewed"
	ConnectionRejected  Action = "connection.rejected" // Entra ID refused the refresh token
	ConnectionRemoved   Action = "connection.removed"
	ConnectionHeld      Action = "connection.held"     // not used: its row is forged, or older than the trail knows
	ConnectionAccepted  Action = "connection.accepted" // a person looked at a held one and said yes
	ConnectionRevoked   Action = "connection.revoked"  // the account's sign-in sessions were revoked at Entra ID
	ConnectionDying     Action = "connection.dying"    // it dies within 14, 7 or 1 days: told once each
	InvitationMade      Action = "invitation.made"
	InvitationWithdrawn Action = "invitation.withdrawn"
	InvitationUsed      Action = "invitation.used" // a consent was kept by it
	CredentialCreated   Action = "credential.created"
	CredentialRemoved   Action = "credential.removed"
	TokenIssued         Action = "token.issued"  // an access token was handed to a caller
	TokenRefused        Action = "token.refused" // a caller was not given one, and why
	ApprovalGiven       Action = "approval.given"
	ApprovalWithdrawn   Action = "approval.withdrawn"
	ConsentGranted      Action = "consent.granted" // at a customer
	ConsentRemoved      Action = "consent.removed"
	VaultCreated        Action = "vault.created"
	VaultRotated        Action = "vault.rotated"
	VaultMasterChanged  Action = "vault.master-changed"
	VaultDamaged        Action = "vault.damaged" // a sealed row did not open
	VaultMarked         Action = "vault.marked"  // rows from before marks were trusted, once
	RowForged           Action = "row.forged"    // a row that grants or steers was written by something else
	DatabaseOlder       Action = "database.older"
	DatabaseAccepted    Action = "database.accepted" // an older database was accepted by a person
	VaultBackedUp       Action = "vault.backed-up"
	VaultRestored       Action = "vault.restored"
	BackupMade          Action = "backup.made"
	BackupRestored      Action = "backup.restored"    // the trail goes on from here: what came after it elsewhere is not in it
	ArchiveKept         Action = "archive.kept"       // a segment of collected pages: its name, sums and root
	ArchiveRemoved      Action = "archive.removed"    // by policy: its row stays
	AutomationChanged   Action = "automation.changed" // the state or owner of an item
	ExceptionAdded      Action = "exception.added"    // asked for; not in force before a second person approves
	ExceptionApproved   Action = "exception.approved"
	ExceptionEnded      Action = "exception.ended"
	AttestationKept     Action = "attestation.kept" // in the database
	AttestationRemoved  Action = "attestation.removed"
	RejudgeBegun        Action = "rejudge.begun"      // the archive is judged again by the rules of now
	ConsoleEntered      Action = "console.entered"    // somebody came into the console: a session began
	ConsoleRefused      Action = "console.refused"    // somebody was not let in, or may not do it, and why
	ConsoleSteppedUp    Action = "console.stepped-up" // MFA was proven anew: a session took the place of another
	ConsoleLeft         Action = "console.left"       // somebody signed out
	ConsoleEnded        Action = "console.ended"      // a session was ended by somebody
	ConsoleLinkMade     Action = "console.link-made"
	ConsoleLinkUsed     Action = "console.link-used"
	ConsoleRoleGiven    Action = "console.role-given"
	ConsoleRoleTaken    Action = "console.role-taken"
	ConsoleTokenMade    Action = "console.token-made"
	ConsoleTokenRemoved Action = "console.token-removed"
	ConsoleTokenRefused Action = "console.token-refused" // a program came with a token that is not taken
	TrailCarried        Action = "trail.carried"         // from the hash chain it was before into the tree
	TrailKey            Action = "trail.key"             // the key that signs checkpoints was made
	TrailWords          Action = "trail.words"           // the key that tells its own words was made
	TrailGap            Action = "trail.gap"             // an anchor cannot be reached
	TrailGapEnded       Action = "trail.gap-ended"       // it can again
	TrailMismatch       Action = "trail.mismatch"        // an anchor holds what does not fit the trail
)

// What is handed to others, so that they can check it.
const (
	PackMade   Action = "pack.made"   // a pack of evidence: its name, sum, and whom it is for
	PackOnce   Action = "pack.once"   // a tenant was assessed once, read-only: begun, ended, or what could not be removed
	PackLeaved Action = "pack.leaved" // the salted root of a segment, so that a part of it can be left out later
)

// What people have done before its time.
const (
	CollectionAsked Action = "collection.asked" // a person had a tenant read, due or not
	JobRevived      Action = "job.revived"      // a job that was tried no more is tried again
	ConnectionAsked Action = "connection.asked" // a person had a connection renewed, due or not
	TrailAsked      Action = "trail.asked"      // a person had the trail verified
)

// What is told, and what people do about it.
const (
	AlertAcknowledged Action = "alert.acknowledged"
	AlertSnoozed      Action = "alert.snoozed"   // silent until a moment, or told again
	NotifyGivenUp     Action = "notify.given-up" // a message could not be delivered
	NotifyRevived     Action = "notify.revived"  // messages that were given up are sent again
	NotifySealed      Action = "notify.sealed"   // the secret of a channel was sealed
	CalendarMade      Action = "calendar.made"   // a person's calendar of deadlines
	CalendarRevoked   Action = "calendar.revoked"
)

// What happens to the people and factors of our own provider of External MFA.
const (
	MFAEnrolled         Action = "mfa.enrolled"       // a factor was added
	MFARemoved          Action = "mfa.removed"        // a factor was taken away
	MFAPassed           Action = "mfa.passed"         // a factor was shown, and fitted
	MFARefused          Action = "mfa.refused"        // an answer was not taken, and why
	MFALocked           Action = "mfa.locked"         // wrong answers: no more are looked at for a while
	MFAUnlocked         Action = "mfa.unlocked"       // by the help desk
	MFABlocked          Action = "mfa.blocked"        // no factor of a person is taken any more
	MFAUnblocked        Action = "mfa.unblocked"      // or is again
	MFAResetAsked       Action = "mfa.reset-asked"    // not done before a second person approves
	MFAResetApproved    Action = "mfa.reset-approved" // and done
	MFAPassAsked        Action = "mfa.pass-asked"     // a temporary pass
	MFAPassApproved     Action = "mfa.pass-approved"
	MFAPassUsed         Action = "mfa.pass-used"
	MFARecoveryAsked    Action = "mfa.recovery-asked"
	MFARecoveryApproved Action = "mfa.recovery-approved"
	MFARecoveryMade     Action = "mfa.recovery-made"
	MFARecoveryUsed     Action = "mfa.recovery-used"
	MFAActWithdrawn     Action = "mfa.act-withdrawn" // a reset, pass or recovery codes that were asked for
	MFAInvited          Action = "mfa.invited"       // somebody may enrol a first factor
	MFAInvitationUsed   Action = "mfa.invitation-used"
	MFAInvitationGone   Action = "mfa.invitation-withdrawn"
	MFARisk             Action = "mfa.risk" // something that somebody should look at
)

// Our provider of External MFA before Entra ID.
const (
	MFAAsked        Action = "mfa.asked"         // a hint was proven: somebody is asked for a factor
	MFAAnswered     Action = "mfa.answered"      // Entra ID was given the claim, or told why not
	MFAHintRefused  Action = "mfa.hint-refused"  // a request was not taken, and why
	MFAKeyMade      Action = "mfa.key-made"      // published; it does not sign yet
	MFAKeySwitched  Action = "mfa.key-switched"  // it signs from now on
	MFAKeyWithdrawn Action = "mfa.key-withdrawn" // published no more
	MFARegistered   Action = "mfa.registered"    // the app, its consent or the method's configuration was changed at Entra ID
	MFATenantAdded  Action = "mfa.tenant-added"  // its people are asked here
	MFATenantEnded  Action = "mfa.tenant-ended"
)

// What people of a shared floor do with their one-time passwords.
const (
	OTPOpened    Action = "otp.opened"     // a person opened their file
	OTPRefused   Action = "otp.refused"    // a wrong passphrase
	OTPCodeTaken Action = "otp.code-taken" // a code was shown: of which entry, until when, never the code
)

// The mail bridge, and the devices that come in at it.
const (
	BridgeDeviceMade    Action = "bridge.device-made" // a password of a device was made
	BridgeDeviceRevoked Action = "bridge.device-revoked"
	BridgeRefused       Action = "bridge.refused"  // somebody was not let in, and why; a stranger's once a minute
	BridgeSlowed        Action = "bridge.slowed"   // many wrong passwords came: from where, or at which device
	BridgeBounced       Action = "bridge.bounced"  // a message could not be sent, and its sender was told
	BridgeLost          Action = "bridge.lost"     // a message is gone, or nobody could be told that it was not sent
	BridgeDoubtful      Action = "bridge.doubtful" // the end of a message was sent and no answer came: it is sent again
)

// MFATokenUploaded: one of our seeds went to Entra ID as a hardware OATH token.
const MFATokenUploaded Action = "mfa.token-uploaded"

// The change of delegated administration, customer by customer.
const (
	DelegationApplied    Action = "delegation.applied"     // a plan: from now on its changes are made
	DelegationAsked      Action = "delegation.asked"       // a change is about to be asked of Microsoft
	DelegationChanged    Action = "delegation.changed"     // Microsoft's answer to it
	DelegationHeld       Action = "delegation.held"        // the move of a customer waits for somebody to look, and why
	DelegationStopped    Action = "delegation.stopped"     // a plan: nothing is changed until somebody looked
	DelegationResumed    Action = "delegation.resumed"     // somebody looked, and it goes on
	DelegationStage      Action = "delegation.stage"       // the next share of a plan's customers has begun
	DelegationCancelled  Action = "delegation.cancelled"   // somebody ended a move before the customer approved
	DelegationRolledBack Action = "delegation.rolled-back" // somebody took a move back
	DelegationPinned     Action = "delegation.pinned"      // a role stays, whatever was seen
	DelegationUnpinned   Action = "delegation.unpinned"
)

// Microsoft's alerts about fraud, and what people do about them.
const (
	FraudDetected  Action = "fraud.detected"  // alerts were read for the first time, of one cause
	FraudTurned    Action = "fraud.turned"    // Microsoft says another status of an alert than before
	FraudAssigned  Action = "fraud.assigned"  // somebody has an alert, or nobody any more
	FraudNoted     Action = "fraud.noted"     // a note was written down for whoever is next
	FraudAnswered  Action = "fraud.answered"  // a person chose the answer to an alert: it is queued
	FraudAsked     Action = "fraud.asked"     // the answer is about to be sent to Microsoft
	FraudSent      Action = "fraud.sent"      // Microsoft has the answer
	FraudOther     Action = "fraud.other"     // somebody else answered meanwhile, otherwise: nothing was overwritten
	FraudFailed    Action = "fraud.failed"    // Microsoft refuses the answer, and why
	FraudWebhook   Action = "fraud.webhook"   // the webhook at Partner Center was registered, changed or emptied
	FraudForgeries Action = "fraud.forgeries" // the webhook was rung by what is not Microsoft; once a minute
)

// The investigation of an alert about Azure fraud.
const (
	InquiryAsked    Action = "inquiry.asked"    // what an alert is about is read now, due or not
	InquiryTaken    Action = "inquiry.taken"    // it was read: what was, and what could not be
	InquiryReported Action = "inquiry.reported" // a report was handed out, for whom
)

// Spending budgets of customers, set by a plan.
const (
	BudgetApplied    Action = "budget.applied"     // a plan: from now on its budgets are set
	BudgetAsked      Action = "budget.asked"       // a change is about to be asked of Microsoft
	BudgetChanged    Action = "budget.changed"     // Microsoft's answer to it
	BudgetRefused    Action = "budget.refused"     // a budget was not set, and why
	BudgetRolledBack Action = "budget.rolled-back" // a plan is taken back
)

// The enforcement gateway.
const (
	GatewayStarted   Action = "gateway.started"
	GatewayStopped   Action = "gateway.stopped"
	GatewayLoaded    Action = "gateway.loaded"    // a file was taken over: its digest, routes and modes
	GatewayKept      Action = "gateway.kept"      // a changed file was refused, and the old one stays
	GatewayTurned    Action = "gateway.turned"    // a route's mode turned by its date
	GatewayRefused   Action = "gateway.refused"   // requests of one hour: of one route, reason, caller and client
	GatewayRevoked   Action = "gateway.revoked"   // somebody may not come in any more
	GatewayUnrevoked Action = "gateway.unrevoked" // or may again
	GatewayEntered   Action = "gateway.entered"   // a browser's session began
	GatewayLeft      Action = "gateway.left"      // and ended
)

// Event is one entry of the trail before it is chained. It never holds a
// secret: a token is named by its fingerprint.
type Event struct {
	At      time.Time `json:"at"` // UTC, microseconds
	Action  Action    `json:"action"`
	Outcome Outcome   `json:"outcome"`
	Actor   string    `json:"actor"`            // who: "local:USER", "mtls:NAME", "oidc:SUBJECT", "system:renewal"
	Object  string    `json:"object,omitempty"` // to what: a connection's id, a customer's tenant id
	Tenant  string    `json:"tenant,omitempty"` // tenant id it concerns
	Reason  string    `json:"reason,omitempty"` // a sentence, for refusals and failures
	// Details are further words by name (resource, scopes, fingerprint,
	// expires). Values are short; never a secret.
	Details map[string]string `json:"details,omitempty"`
}

// Recorder is the audit trail. Record keeps an event durably: within the
// transaction that ctx carries (see [partnerguard/internal/db.DB.InTx]), and
// with it or not at all; else before it returns. Safe for concurrent use.
type Recorder interface {
	Record(ctx context.Context, e Event) error
}
