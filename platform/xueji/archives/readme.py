"""The text that lies on top in every bundle."""

README = """\
学迹证据包                                                   (English below)
==========

本证据包属于一名学员的一次培训（报名）。它包含平台为此次培训记录的全部事件、这些事件在学习轨迹日志中的证明，
以及按规则手册由这些事件推算出的学时。您无需信任平台，也无需网络，即可自行核验。

怎样核验
  1. 解压，进入文件夹，运行：  python verify.py        （需要 Python 3.11 或更高版本，无需安装任何东西）
     也可以直接核验压缩文件：  python verify.py 证据包.zip
  2. 如果您手里有平台以前给您的公钥清单（policy.json）或检查点（checkpoint），请一并交给程序，这样结论最强：
         python verify.py --policy 您的policy.json --checkpoint 您的checkpoint
     下载时在地址后加 ?from=您的检查点第二行的数字，包内就会附上从那时起日志只增不改的证明。
  3. 包内的核验程序与平台自身使用的是同一份代码。您也可以使用自己保存的一份，或请第三方重写一份。

每一行的含义
  leaves       记录完好    每一行记录都是规范的、唯一的写法
  signatures   签名有效    检查点由日志的密钥签署，并写明签署时间
  inclusion    收录在案    这里的每一条记录，一字不差地在被签署的日志里
  consistency  只增不改    日志包含它以前签署过的一切，以及您手里检查点里的一切
  chain        前后连续    该学员的记录从 0 号起没有缺号，每条都写明前一条，最后一条写明总数
  times        时间相符    每条记录的时间在前后两个检查点的签署时间之间
  outside      外部时间    第三方时间戳机构和见证人证明检查点当时已经存在
  hours        学时重算    按规则手册从记录重新推算学时，与平台签发的一致
  openings     承诺相符    公开的内容与当时的承诺一致；未公开的逐一列出；依法删除的写明删除日期
  pictures     照片相符    照片就是当时拍下的那一张

它不能证明什么
  它证明：平台记录了这些事件，顺序如此，不晚于所示时间，此后没有更改或删除。它不证明坐在摄像头前的是谁：
  那要看检查的结论、分数和照片。日志以外没有记录的事，它也不知道。

文件
  events.jsonl 记录原文，每行一条        openings.json 公开的内容及其密钥      pictures/ 照片
  checkpoint 最新检查点                  inclusion.json 收录证明               anchors.json 以前的检查点
  timestamps/ 时间戳                     consistency.json 与您的检查点的关系   policy.json 公钥清单
  statement.json 学时说明                rulebook.json 规则手册                verify.py、verifier/ 核验程序


Xueji evidence bundle
=====================

This bundle is about one trainee in one training (an enrolment). It holds every event the platform recorded about it,
proofs that these events stand in the traceability log, and the class hours that follow from them under the rulebook.
You can check it without trusting the platform and without a network.

How to check it
  1. Extract it and run in its folder:   python verify.py       (Python 3.11 or newer; nothing to install)
     or check the zip as it is:          python verify.py BUNDLE.zip
  2. If you hold a list of keys (policy.json) or a checkpoint that the platform gave you earlier, hand them over; the
     result is then strongest:
         python verify.py --policy YOUR-policy.json --checkpoint YOUR-checkpoint
     Download with ?from=<the number in your checkpoint's second line> to have the proof that the log only grew since.
  3. The program in here is the very code the platform runs on. Use a copy you kept, or have somebody write another.

What each line means
  leaves       each record is written in the one way a record can be
  signatures   checkpoints are signed with the log's keys, and say when
  inclusion    every record in here stands, to the letter, in the log that was signed
  consistency  the log contains all it signed before, and all of the checkpoint you hold
  chain        the trainee's records count from 0 without a gap, each names the one before, the last tells their number
  times        each record's time lies between the signed times of the checkpoints around it
  outside      time-stamp authorities and witnesses saw the checkpoints when they were new
  hours        the hours worked out again from the records are those that were issued
  openings     what is opened is what was committed to; what is withheld is listed; what was erased says on which day
  pictures     the pictures are those that were taken

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
"""
