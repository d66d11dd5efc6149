package lenient

import "strings"

func wordSet(words string) map[string]bool {
	out := make(map[string]bool)
	for w := range strings.FieldsSeq(words) {
		out[w] = true
	}
	return out
}

// months holds the names of the months, long, short and in the genitive where
// the language writes dates with it. A name that means different months in two
// of the languages is not here: Croatian is left out for "listopad".
var months = func() map[string]int {
	out := make(map[string]int)
	for _, year := range [][12]string{
		{"january jan", "february feb", "march mar", "april apr", "may", "june jun", "july jul", "august aug", "september sep sept",
			"october oct", "november nov", "december dec"},
		{"januar jänner jän", "februar feber", "märz mär mrz", "april", "mai", "juni", "juli", "august", "september", "oktober okt", "november",
			"dezember dez"},
		{"janvier janv", "février févr fév", "mars", "avril avr", "mai", "juin", "juillet juil", "août", "septembre", "octobre", "novembre", "décembre déc"},
		{"januari", "februari", "maart mrt", "april", "mei", "juni", "juli", "augustus", "september", "oktober", "november", "december"},
		{"enero ene", "febrero", "marzo", "abril abr", "mayo", "junio", "julio", "agosto ago", "septiembre setiembre", "octubre", "noviembre", "diciembre dic"},
		{"gennaio gen", "febbraio", "marzo", "aprile", "maggio mag", "giugno giu", "luglio lug", "agosto", "settembre set sett", "ottobre ott", "novembre",
			"dicembre"},
		{"janeiro", "fevereiro fev", "março", "abril", "maio", "junho", "julho", "agosto", "setembro", "outubro out", "novembro", "dezembro"},
		{"tammikuuta tammikuu tammi tammik", "helmikuuta helmikuu helmi helmik", "maaliskuuta maaliskuu maalis maalisk",
			"huhtikuuta huhtikuu huhti huhtik", "toukokuuta toukokuu touko toukok", "kesäkuuta kesäkuu kesä kesäk",
			"heinäkuuta heinäkuu heinä heinäk", "elokuuta elokuu elo elok", "syyskuuta syyskuu syys syysk", "lokakuuta lokakuu loka lokak",
			"marraskuuta marraskuu marras marrask", "joulukuuta joulukuu joulu jouluk"},
		{"leden ledna led", "únor února úno", "březen března bře", "duben dubna dub", "květen května kvě", "červen června čvn", "červenec července čvc",
			"srpen srpna srp", "září zář", "říjen října říj", "listopad listopadu lis", "prosinec prosince pro"},
		{"január", "február febr", "március márc", "április ápr", "május máj", "június jún", "július júl", "augusztus", "szeptember szept", "október",
			"november", "december"},
		{"januari", "februari", "mars", "april", "maj", "juni", "juli", "augusti", "september", "oktober", "november", "december"},
		{"januar", "februar", "marts", "april", "maj", "juni", "juli", "august", "september", "oktober", "november", "desember des"},
		{"styczeń stycznia sty", "luty lutego lut", "marzec marca", "kwiecień kwietnia kwi", "maja", "czerwiec czerwca cze", "lipiec lipca lip",
			"sierpień sierpnia sie", "wrzesień września wrz", "październik października paź", "listopada", "grudzień grudnia gru"},
	} {
		for i, names := range year {
			for name := range strings.FieldsSeq(names) {
				out[name] = i + 1
			}
		}
	}
	return out
}()

// halfDays holds the markers that are one word: 1 before noon, 2 after. Those
// of several words (a. m.) and Hungarian "de" are the parser's.
var halfDays = map[string]int8{
	"am": 1, "pm": 2,
	"vorm": 1, "vormittag": 1, "vormittags": 1, "nachm": 2, "nachmittag": 2, "nachmittags": 2,
	"ap": 1, "ip": 2, // Finnish
	"dop": 1, "odp": 2, // Czech
	"fm": 1, "em": 2, // Swedish
	"午前": 1, "午後": 2, "上午": 1, "下午": 2, "오전": 1, "오후": 2,
}

var (
	openingWords = wordSet("le den der am el il lo dne")
	betweenWords = wordSet("de del of di den 年 月 년 월 th st nd rd er")
	timeWords    = wordSet("t at um uhr à alle ore klo kl om a las v o den 日 일")
	closingWords = wordSet("uhr uur h s sec 秒 초 分 분 klo hod min")
	hourWords    = wordSet("h u 時 时 点 시 uhr")
	minuteWords  = wordSet("m min mn 分 분")
	// dayFirstWords stand beside dates of languages that never write the month first.
	dayFirstWords = wordSet("à alle ore klo kl om um uhr las hod")
	weekdays      = wordSet(`monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu thur thurs fri sat sun
		montag dienstag mittwoch donnerstag freitag samstag sonnabend sonntag mo di mi do fr sa so
		lundi mardi mercredi jeudi vendredi samedi dimanche lun mer jeu ven sam dim
		maandag dinsdag woensdag donderdag vrijdag zaterdag zondag ma wo vr za zo
		lunes martes miércoles jueves viernes sábado domingo mié jue vie sáb dom
		lunedì martedì mercoledì giovedì venerdì sabato domenica gio sab
		maanantai tiistai keskiviikko torstai perjantai lauantai sunnuntai maanantaina tiistaina keskiviikkona torstaina
		perjantaina lauantaina sunnuntaina ti ke to pe la su
		pondělí úterý středa čtvrtek pátek sobota neděle po út st čt pá ne
		hétfő kedd szerda csütörtök péntek szombat vasárnap
		måndag tisdag onsdag torsdag fredag lördag söndag mandag tirsdag lørdag søndag
		poniedziałek wtorek środa czwartek piątek niedziela`)
)
