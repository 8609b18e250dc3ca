"""The text that lies on top in every bundle."""

README = """\
学迹证据包                                                   (English below)
==========

本证据包属于一名学员的一次培训（报名）。它包含平台为此次培训记录的全部事件、这些事件在学习轨迹日志中的证明，
以及按规则手册由这些事件推算出的学时。您无需信任平台，也无需网络，即可自行核验。

怎样核验
  1. 解压，进入文件夹，运行：  python verify.py        （需要 Python 3.8 或更高版本，无需安装任何东西）
     也可以直接核验压缩文件：  python verify.py 证据包.zip
  2. 如果您手里有平台以前给您的公钥清单（policy.json）或检查点（checkpoint），请一并交给程序，这样结论最强：
         python verify.py --policy 您的policy.json --checkpoint 您的checkpoint
     通过接口下载时在地址后加 ?from=您的检查点第二行的数字，包内就会附上从那时起日志只增不改的证明。
  3. 要紧时，不要用包内的核验程序，因为谁改了证据包，谁就能把程序也换成只会打印“VERIFIED”的东西，而包内的程序
     无法替自己作证。请使用您自己保存的一份：
         xueji verify 证据包.zip                       （您自己安装的学迹）
         python 您保存的文件夹/verify.py 证据包.zip    （以前保存的 verify.py 和 verifier 文件夹）
     或者运行之前，用平台公布的清单（平台地址/log/verifier）核对包内的程序：
         sha256sum --check 清单                        （在解压后的文件夹里）

每一行开头：ok 成立；FAIL 不成立，并指出是什么；-- 没有可核验的内容，或者无法证明。
最后一行是 VERIFIED（列出未证明的各项、所依的公钥、截至何时、日志有无外部见证）或 NOT VERIFIED（列出不成立的各项）。

每一行的含义
  files        文件齐全    manifest.json 列出的文件都在、未损坏，也没有多出别的。清单没有签名：它查的是损坏和丢失
  leaves       记录完好    每一行记录都是规范的、唯一的写法
  signatures   签名有效    检查点由日志的密钥签署，并写明签署时间
  inclusion    收录在案    这里的每一条记录，一字不差地在被签署的日志里
  consistency  只增不改    日志包含它以前签署过的一切，以及您手里检查点里的一切
  chain        前后连续    该学员的记录从 0 号起没有缺号，每条都写明前一条，最后一条写明总数
  times        时间相符    每条记录的时间在前后两个检查点的签署时间之间；缺少前一个时显示 --，并写明有几条
  outside      外部时间    第三方时间戳机构和见证人证明检查点当时已经存在
  hours        学时重算    按规则手册从记录重新推算学时，与平台签发的一致
  openings     承诺相符    公开的内容和名称与当时的承诺一致；未公开的逐一列出；依法删除的写明删除日期
  subject      人与班级    姓名、证件号码（或其掩码）、培训机构、培训班与记录中的承诺一致；每次经手都承诺了由谁
  rooms        线下出勤    线下课逐次列明：哪一项不能自行成立、由两人确认的理由、学员本人怎么说
  references   底照出处    每次人脸核验所对照的底照，记录里当时已有
  pictures     照片相符    照片就是当时拍下的那一张
  verifier     核验程序    包内的程序与正在核验的程序是否相同；用包内的程序核验时显示 --

它不能证明什么
  它证明：平台记录了这些事件，顺序如此，不晚于所示时间，此后没有更改或删除。它不证明坐在摄像头前的是谁：
  那要看检查的结论、分数和照片。日志以外没有记录的事，它也不知道。

文件
  events.jsonl 记录原文，每行一条        openings.json 公开的内容及其密钥      pictures/ 照片
  checkpoint 最新检查点                  inclusion.json 收录证明               anchors.json 以前的检查点
  timestamps/ 时间戳                     consistency.json 与您的检查点的关系   policy.json 公钥清单
  statement.json 学时说明                rulebook.json 规则手册                verify.py、verifier/ 核验程序
  manifest.json 文件清单


Xueji evidence bundle
=====================

This bundle is about one trainee in one training (an enrolment). It holds every event the platform recorded about it,
proofs that these events stand in the traceability log, and the class hours that follow from them under the rulebook.
You can check it without trusting the platform and without a network.

How to check it
  1. Extract it and run in its folder:   python verify.py       (Python 3.8 or newer; nothing to install)
     or check the zip as it is:          python verify.py BUNDLE.zip
  2. If you hold a list of keys (policy.json) or a checkpoint that the platform gave you earlier, hand them over; the
     result is then strongest:
         python verify.py --policy YOUR-policy.json --checkpoint YOUR-checkpoint
     Ask over the interface with ?from=<the number in your checkpoint's second line> for the proof that it only grew.
  3. When it matters, do not use the program in here: whoever altered the bundle can exchange the program too, for one
     that prints VERIFIED and nothing else, and no program can vouch for itself. Use a copy that you hold:
         xueji verify BUNDLE.zip                       (a Xueji you installed)
         python YOUR-FOLDER/verify.py BUNDLE.zip       (verify.py and verifier/ as you kept them)
     or, before you run it, hold it against the list the platform publishes under /log/verifier:
         sha256sum --check THE-LIST                    (in the folder you extracted)

How a line begins: ok, it holds; FAIL, it does not, and what; --, there is nothing to check or it is not shown.
The last line is VERIFIED (with what is not shown, by whose keys, as of when, and who outside has seen the log) or
NOT VERIFIED (with what does not hold).

What each line means
  files        what manifest.json lists is there and undamaged, and nothing else. The list is not signed: it finds
               what was damaged or lost on the way, the other lines find what was changed on purpose
  leaves       each record is written in the one way a record can be
  signatures   checkpoints are signed with the log's keys, and say when
  inclusion    every record in here stands, to the letter, in the log that was signed
  consistency  the log contains all it signed before, and all of the checkpoint you hold
  chain        the trainee's records count from 0 without a gap, each names the one before, the last tells their number
  times        each record's time lies between the signed times of the checkpoints around it; -- with their number
               when there is no checkpoint before some
  outside      time-stamp authorities and witnesses saw the checkpoints when they were new
  hours        the hours worked out again from the records are those that were issued
  openings     what is opened, and its name, is what was committed to; what is withheld is listed; what was erased
               says on which day
  subject      name, identity number (or what is shown of them), institution and cohort are those the records commit to;
               every act of staff commits to who acted
  rooms        each session in person: the bounds it does not keep by itself, the reasons, what she says of it
  references   each verdict on a face names its reference photos, known to the chain by then
  pictures     the pictures are those that were taken
  verifier     whether the program in the bundle is the one that is checking it; -- when it is checking itself

What it cannot prove
  It proves that the platform recorded this event, in this order, no later than the time shown, and has not changed or
  removed it since. It does not prove who sat before the webcam: for that there are the checks' outcomes, scores and
  pictures. Of what was never recorded it knows nothing.

Files
  events.jsonl     the records, one a line          checkpoint      the newest one
  inclusion.json   that the records are in it       anchors.json    earlier checkpoints
  timestamps/      RFC 3161 tokens over them        consistency.json  growth since the one you hold
  openings.json    what is opened, with its keys    pictures/
  statement.json   the hours                        rulebook.json   the rules
  policy.json      the keys                         verify.py, verifier/  the program
  manifest.json    all of these, with their SHA-256
"""

PLAYED = """\

演示环境
  本证据包来自演示环境（日志名称以 demo 开头）。其中的人物都是虚构的，面孔是画出来的；最初六周由程序按真实的规则演出，
  时钟由程序拨动。因此它能说明记录了什么、先后如何、学时怎样算出，不能证明任何时间，也不是任何人的培训记录。

A demonstration
  This bundle comes from a demonstration: the log's name begins with "demo". Its people are invented and their faces
  drawn; a program played its first six weeks under the real rules, with a clock that was told the time. It shows what
  was recorded, in which order, and how hours follow from it. It proves no time, and is nobody's training record.
"""
"""What is added where the log is a demonstration's (`trace.rules.DEMONSTRATION`)."""
