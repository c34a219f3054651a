package viet

import "strings"

// allRhymes is every rhyme of the language, without tones.
const allRhymes = `
a e ê i o ô ơ u ư y ia ua ưa oa oe uê uy uơ uya ai ao au ay âu ây eo êu iu oi ôi ơi ui ưi ưu
iêu yêu oai oay oao oeo uây uôi ươi ươu uyu uêu uau
ac ăc âc ec oc ôc uc ưc iêc uôc ươc oac oăc ooc
ach êch ich oach uêch uych ych
am ăm âm em êm im om ôm ơm um ưm iêm yêm uôm ươm oam oăm
an ăn ân en ên in on ôn ơn un iên yên uôn ươn oan oăn oen uân uyên uyn
ang ăng âng eng ong ông ung ưng iêng yêng uông ương oang oăng uâng oong
anh ênh inh oanh uênh uynh ynh
ap ăp âp ep êp ip op ôp ơp up iêp ươp oap
at ăt ât et êt it ot ôt ơt ut ưt iêt yêt uôt ươt oat oăt oet uât uyêt uyt yt`

var rhymes, bareRhymes = makeRhymes()

func makeRhymes() (marked, plain map[string]bool) {
	marked, plain = map[string]bool{}, map[string]bool{}
	for _, r := range strings.Fields(allRhymes) {
		var names, bones []byte
		for _, c := range r {
			names = append(names, alphabet[c].name)
			bones = append(bones, bare(alphabet[c].name))
		}
		marked[string(names)] = true
		plain[string(bones)] = true
	}
	return marked, plain
}
